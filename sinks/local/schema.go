package local

import (
	"context"
	"database/sql"
	"fmt"
)

// A store is an SQLite file with this application id ("TSev") and this version of its tables in the header. A change that
// older programs cannot read raises the version; tables and indices that they need not know do not.
const (
	applicationID = 0x54536576
	schemaVersion = 1
)

// An event's id is seconds<<sequenceBits | a number within the second: at most 131,072 events begin in one, further ones
// go on in the next second.
const sequenceBits = 17

// tables are made with the file. Every integer that is no id, mark or flag is a term's, NULL when the record has no value.
// event_id is a UUID's sixteen bytes, or text where it is none.
const tables = `
CREATE TABLE term (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE dictionary (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE event (
	id         INTEGER PRIMARY KEY,
	event_id   BLOB NOT NULL UNIQUE,
	name       INTEGER,
	source     INTEGER,
	account    INTEGER,
	region     INTEGER,
	address    INTEGER,
	access_key INTEGER,
	identity   INTEGER,
	error      INTEGER,
	session    INTEGER,
	agent      INTEGER,
	read_only  INTEGER NOT NULL,
	outcome    INTEGER NOT NULL,
	marks      INTEGER NOT NULL,
	record     BLOB NOT NULL
);
CREATE TABLE actor         (term INTEGER, id INTEGER, PRIMARY KEY (term, id)) WITHOUT ROWID;
CREATE TABLE resource      (term INTEGER, id INTEGER, PRIMARY KEY (term, id)) WITHOUT ROWID;
CREATE TABLE resource_type (term INTEGER, id INTEGER, PRIMARY KEY (term, id)) WITHOUT ROWID;
`

// indices may be made after a load. Each one ends in the row's id, which is its time.
const indices = `
CREATE INDEX IF NOT EXISTS event_name       ON event (name);
CREATE INDEX IF NOT EXISTS event_source     ON event (source);
CREATE INDEX IF NOT EXISTS event_account    ON event (account);
CREATE INDEX IF NOT EXISTS event_region     ON event (region);
CREATE INDEX IF NOT EXISTS event_address    ON event (address);
CREATE INDEX IF NOT EXISTS event_access_key ON event (access_key) WHERE access_key IS NOT NULL;
CREATE INDEX IF NOT EXISTS event_error      ON event (error) WHERE error IS NOT NULL;
CREATE INDEX IF NOT EXISTS event_session    ON event (session) WHERE session IS NOT NULL;
CREATE INDEX IF NOT EXISTS event_read_only  ON event (read_only);
CREATE INDEX IF NOT EXISTS event_outcome    ON event (outcome);
`

// build makes the tables of a new store in the empty file at path.
func build(ctx context.Context, path string) error {
	db, err := connect(path, "synchronous(FULL)")
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, script := range []string{
		"PRAGMA page_size = 8192",
		fmt.Sprintf("BEGIN; PRAGMA application_id = %d; PRAGMA user_version = %d; %s %s COMMIT", applicationID, schemaVersion, tables, indices),
		"PRAGMA journal_mode = WAL",
	} {
		if _, err := db.ExecContext(ctx, script); err != nil {
			return err
		}
	}
	return db.Close()
}

// readDictionaries reads all dictionaries, the newest last.
func readDictionaries(ctx context.Context, db *sql.DB) (dictionaries [][]byte, err error) {
	rows, err := db.QueryContext(ctx, "SELECT data FROM dictionary ORDER BY id")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var data []byte
		if err := rows.Scan(&data); err != nil {
			return nil, err
		}
		dictionaries = append(dictionaries, data)
	}
	return dictionaries, rows.Err()
}
