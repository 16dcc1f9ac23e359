-- Domains are found by the domain above them: written backwards, it stands right before them.

-- +goose Up
CREATE INDEX domains_backwards ON domains ((reverse(domain) COLLATE "C"));
