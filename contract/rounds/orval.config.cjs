// One file with a function for each operation, which knows the address of the service.
module.exports = {
  api: {
    input: process.env.DOCUMENT,
    output: { target: "orval_client.ts", client: "fetch", mode: "single", baseUrl: process.env.API },
  },
};
