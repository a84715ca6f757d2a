-- ann+1@ and ann+2@ reach one mailbox. mailbox_hash is made as address_hash is, from the address without what
-- follows the +; where there is none, both are equal. How many mails anybody can cause, and "never write again",
-- go by the mailbox; everything else goes by the whole address.

-- null for mails that not just anybody can cause.
ALTER TABLE notice ADD COLUMN mailbox_hash TEXT;
UPDATE notice SET mailbox_hash = address_hash WHERE kind IN ('confirm', 'preferences_link', 'new_address');
CREATE INDEX notice_by_mailbox ON notice (mailbox_hash, created) WHERE mailbox_hash IS NOT NULL;

ALTER TABLE sign_up_request ADD COLUMN mailbox_hash TEXT NOT NULL DEFAULT '';
UPDATE sign_up_request SET mailbox_hash = address_hash;
CREATE INDEX sign_up_request_by_mailbox ON sign_up_request (mailbox_hash);

-- One row for each mailbox about whose addresses somebody decides.
ALTER TABLE address_turn RENAME COLUMN address_hash TO mailbox_hash;

-- Mailboxes whose owner said "it was not me, never write again".
CREATE TABLE refused_mailbox (
    mailbox_hash TEXT PRIMARY KEY,
    created      BIGINT NOT NULL
);
INSERT INTO refused_mailbox (mailbox_hash, created)
    SELECT address_hash, created FROM suppression WHERE reason = 'refused';
