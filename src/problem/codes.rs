//! The codes of problems and violations, each with its meaning and what to do, for the documentation.

/// Every code that is not a rule of the database, with its text in HTML. [`super::constraints::RULES`] has the others.
pub const CODES: &[(&str, &str)] = &[
    ("unauthenticated", "401. The access token is missing, malformed, expired or revoked: send a valid one."),
    (
        "sign_in_refused",
        "401. The e-mail address or the password is wrong, or the account is disabled: check both, or ask the coordinator.",
    ),
    (
        "refresh_refused",
        "401. The refresh token is unknown or was used before, or its session has ended: sign in again.",
    ),
    (
        "invitation_refused",
        "401. The invitation is unknown, was used before or has expired: ask the coordinator for another one.",
    ),
    ("missing_scope", "403. The token lacks a scope: get a token with the scope that <code>scope</code> names."),
    (
        "out_of_reach",
        "403. You may see the resource but not change it: <code>detail</code> names the callers that may.",
    ),
    ("not_found", "404. The resource does not exist, or you may not see it: check the path and the id."),
    ("method_not_allowed", "405. The path does not support the method: use one that <code>Allow</code> names."),
    (
        "not_acceptable",
        "406. Your <code>Accept</code> excludes the media type of the response: accept <code>application/json</code>, or <code>text/calendar</code> for a calendar.",
    ),
    (
        "malformed_json",
        "400. The body is not valid JSON, repeats a key in an object or is nested too deeply: correct it as <code>detail</code> says.",
    ),
    (
        "preflight_refused",
        "400. A browser asked whether a page of another origin may send a request, and it may not: <code>detail</code> names the origin, the method or the header.",
    ),
    ("malformed_query", "400. The query cannot be read: correct it as <code>detail</code> says."),
    (
        "malformed_idempotency_key",
        "400. Send <code>Idempotency-Key</code> only once, with 1 to 255 visible ASCII characters.",
    ),
    ("unreadable_body", "400. The connection was closed before the whole body arrived: send the request again."),
    (
        "include_too_large",
        "400. The resources to include take too much memory: request fewer events with <code>limit</code>, or read the resources at their own addresses.",
    ),
    ("unknown_parameter", "400. The operation does not have this query parameter: remove it, or correct its name."),
    (
        "unknown_include",
        "400. <code>include</code> names something that this operation cannot include: use the names that <code>detail</code> lists.",
    ),
    ("too_many_parameters", "400. The query has more than 400 parameters: split the request into several."),
    (
        "bad_cursor",
        "400. The cursor does not belong to this list: send the <code>next</code> of a page unchanged, with the same filters and order, or start at the first page. For <code>/v1/changes</code> it may also mean that the database has lost changes that you have seen: create your copy again.",
    ),
    ("body_timeout", "408. The body arrived too slowly: send it again over a faster connection."),
    (
        "idempotency_key_in_progress",
        "409. The first request with this key is still running: retry after as many seconds as <code>Retry-After</code> says.",
    ),
    (
        "idempotency_key_other_rights",
        "409. This request was already carried out, with a token that had other rights: read the resource instead.",
    ),
    (
        "in_use",
        "409. Other resources refer to this one: <code>references</code> lists them. Delete or change them first, or end or cancel this one instead.",
    ),
    (
        "municipality_merged",
        "409. The municipality has already merged into another one, or on another day: <code>detail</code> names them.",
    ),
    ("account_disabled", "409. The account is disabled: enable it first."),
    (
        "precondition_failed",
        "412. <code>If-Match</code> does not have the current <code>ETag</code>. If the resource has changed since you read it, read it again, then repeat your change with the new <code>ETag</code>. <code>detail</code> says if the cause is another one: a proxy that compresses and makes the <code>ETag</code> weak, or an <code>ETag</code> of a view with other fields.",
    ),
    ("payload_too_large", "413. The body is too large: send a smaller one. <code>detail</code> states the limit."),
    ("uri_too_long", "414. The query is longer than 16 kB: split a long list of values over several requests."),
    (
        "unsupported_media_type",
        "415. The operation does not accept the media type or the content coding of the body: send a media type that <code>Accept</code> names, without <code>Content-Encoding</code>.",
    ),
    ("invalid", "422. The input is not valid: <code>errors</code> lists every broken rule and what to do."),
    (
        "precondition_required",
        "428. The operation needs <code>If-Match</code>: send it with the <code>ETag</code> that you read.",
    ),
    (
        "too_many_requests",
        "429. Too many attempts to sign in: wait for as many seconds as <code>Retry-After</code> says.",
    ),
    (
        "rate_limited",
        "429. You send more requests than your rate limit allows: wait for as many seconds as <code>Retry-After</code> says. <code>RateLimit</code> tells how many requests are left.",
    ),
    (
        "write_quota_exceeded",
        "429. You have written as many bytes today (UTC) as your quota allows: wait for as many seconds as <code>Retry-After</code> says, or ask the operator for a larger quota. You can still read.",
    ),
    ("http", "The request is not valid HTTP, or the server does not support it: the status says why."),
    ("internal", "500. The service failed: quote the <code>request_id</code> when you report it."),
    (
        "too_many_waiting",
        "503. Too many requests are already waiting for changes: retry after as many seconds as <code>Retry-After</code> says, or without <code>wait</code>.",
    ),
    (
        "too_many_unread",
        "503. Long responses that are being read take all the memory that they may: read yours without delay, and retry after as many seconds as <code>Retry-After</code> says.",
    ),
    (
        "stopping",
        "503, only from <code>/readyz</code>. This instance is shutting down: send requests to another instance.",
    ),
    (
        "unavailable",
        "503. The service is temporarily unavailable: retry after as many seconds as <code>Retry-After</code> says.",
    ),
    (
        "idempotency_key_reused",
        "In <code>errors</code>: the key was used for another request. Use a new key for each request.",
    ),
    ("unknown_field", "In <code>errors</code>: there is no such field. Leave it out, or correct its name."),
    (
        "wrong_type",
        "In <code>errors</code>: the value has the wrong type or format. Send what the API document describes.",
    ),
    ("in_future", "In <code>errors</code>: the day is in the future. Send today's or an earlier one."),
    ("required", "In <code>errors</code>: the field is required. Send it."),
    ("nul", "In <code>errors</code>: the text has the character NUL. Remove it."),
    ("blank", "In <code>errors</code>: the text is blank. Write something, or leave the field out."),
    (
        "too_short",
        "In <code>errors</code>: the value has too few characters or items. Send the number that <code>detail</code> states.",
    ),
    (
        "too_long",
        "In <code>errors</code>: the value has too many characters or items. Send the number that <code>detail</code> states.",
    ),
    (
        "too_small",
        "In <code>errors</code>: the number is too small. Send one within the bounds in <code>detail</code>.",
    ),
    (
        "too_large",
        "In <code>errors</code>: the number is too large. Send one within the bounds in <code>detail</code>.",
    ),
    (
        "out_of_range",
        "In <code>errors</code>: the value is out of range. Send one within the bounds in <code>detail</code>.",
    ),
    ("fixed", "In <code>errors</code>: this field cannot be changed. Send the stored value."),
    ("invalid_value", "In <code>errors</code>: the value is not allowed. Send one that <code>detail</code> allows."),
    (
        "unknown_scope",
        "In <code>errors</code>: this is not a scope that a partner system can hold. Choose one that the API document lists.",
    ),
    (
        "one_of",
        "In <code>errors</code>: exactly one of several fields or parameters must be present. Send one of them.",
    ),
    ("invalid_email", "In <code>errors</code>: this is not an e-mail address. Correct it."),
    ("invalid_code", "In <code>errors</code>: this is not a code of Statistics Finland. Send the digits as text."),
    ("invalid_slug", "In <code>errors</code>: this is not a slug. Use lower-case letters, digits and single hyphens."),
    ("invalid_phone", "In <code>errors</code>: this is not a telephone number. Use digits, spaces, +, -, ( and )."),
    ("duplicate", "In <code>errors</code>: an item appears twice in the list. Remove one of the two."),
    ("invalid_url", "In <code>errors</code>: this is not an http or https address. Correct it."),
    (
        "invalid_time_zone",
        "In <code>errors</code>: this is not an IANA time zone. Send one such as <code>Europe/Helsinki</code>.",
    ),
    (
        "not_after",
        "In <code>errors</code>: the time must be after another one. Send a later time, or change the other one.",
    ),
    (
        "invalid_language",
        "In <code>errors</code>: this is not a BCP 47 language tag. Send one such as <code>fi</code>.",
    ),
];
