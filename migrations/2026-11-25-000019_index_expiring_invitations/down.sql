drop index invitations_by_expiry;
