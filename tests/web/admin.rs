//! Sending from the browser: the draft, the second look, the ledger; and forms that do nothing.
