create index invitations_by_expiry on invitations (expires_at);
