-- How often the reader changed their address: links to their choices of an earlier generation went to another
-- mailbox, and do not work any more.
ALTER TABLE subscriber ADD COLUMN link_generation BIGINT NOT NULL DEFAULT 0;
