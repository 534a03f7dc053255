CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE sequence (prefix TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE component (
    type TEXT NOT NULL,
    full_name TEXT NOT NULL COLLATE NOCASE,
    id TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL,
    raw BLOB,
    created_by TEXT NOT NULL,
    created_at TEXT NOT NULL,
    modified_by TEXT NOT NULL,
    modified_at TEXT NOT NULL,
    PRIMARY KEY (type, full_name)
) WITHOUT ROWID;
CREATE TABLE flow (full_name TEXT PRIMARY KEY COLLATE NOCASE, id TEXT NOT NULL UNIQUE) WITHOUT ROWID;
CREATE TABLE flow_version (
    full_name TEXT NOT NULL COLLATE NOCASE REFERENCES flow ON DELETE CASCADE,
    number INTEGER NOT NULL,
    status TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL,
    raw BLOB,
    created_by TEXT NOT NULL,
    created_at TEXT NOT NULL,
    modified_by TEXT NOT NULL,
    modified_at TEXT NOT NULL,
    PRIMARY KEY (full_name, number)
) WITHOUT ROWID;
CREATE UNIQUE INDEX flow_active ON flow_version (full_name) WHERE status = 'Active';
CREATE TABLE record (object TEXT NOT NULL COLLATE NOCASE, id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX record_object ON record (object, id);
CREATE TABLE job (id TEXT PRIMARY KEY, body TEXT NOT NULL, payload BLOB) WITHOUT ROWID;
CREATE TABLE session (token TEXT PRIMARY KEY, user_id TEXT NOT NULL, created_at TEXT NOT NULL) WITHOUT ROWID;
-- next version
ALTER TABLE session ADD COLUMN expires_at TEXT;
ALTER TABLE session ADD COLUMN minutes INTEGER;
ALTER TABLE session ADD COLUMN app TEXT;
ALTER TABLE session ADD COLUMN scope TEXT NOT NULL DEFAULT '';
CREATE TABLE app (consumer_key TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE oauth_grant (
    token TEXT PRIMARY KEY,
    app TEXT NOT NULL,
    user_id TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE password (user_id TEXT PRIMARY KEY, hash TEXT NOT NULL) WITHOUT ROWID;
-- next version
CREATE TABLE outbound_message (
    id TEXT PRIMARY KEY,
    action_id TEXT NOT NULL,
    record_id TEXT NOT NULL,
    created_at TEXT NOT NULL,
    next_attempt TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    error TEXT,
    state TEXT NOT NULL,
    claimed_by INTEGER,
    claimed_until REAL NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX outbound_due ON outbound_message (state, next_attempt);
CREATE TABLE automation_log (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    source TEXT NOT NULL,
    record_id TEXT NOT NULL,
    text TEXT NOT NULL
);
-- next version
CREATE TABLE bulk_content (job TEXT PRIMARY KEY, content BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE bulk_row (job TEXT NOT NULL, number INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (job, number)) WITHOUT ROWID;
-- next version
CREATE INDEX component_refers ON component (json_extract(body, '$.referenceTo') COLLATE NOCASE)
    WHERE type = 'CustomField' AND json_extract(body, '$.referenceTo') IS NOT NULL;
CREATE INDEX component_activities ON component (full_name)
    WHERE type = 'CustomObject' AND json_extract(body, '$.enableActivities') = 1;
-- next version
CREATE TABLE deleted_record (id TEXT PRIMARY KEY, object TEXT NOT NULL COLLATE NOCASE, body TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX deleted_record_object ON deleted_record (object, id);
