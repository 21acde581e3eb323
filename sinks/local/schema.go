package local

import (
	"context"
	"database/sql"
	"fmt"
)

// A store is an SQLite file with this application id ("TSev") and this version of its tables in the header. A change that
// older programs cannot read raises the version; tables that they need not know do not.
const (
	applicationID = 0x54536576
	schemaVersion = 3
)

// An event's id is seconds<<sequenceBits | a number within the second: at most 131,072 events begin in one, further ones
// go on in the next second.
const sequenceBits = 17

// tables are made with the file.
//
// event_id is a UUID's sixteen bytes, or text where it is none; tags are those of the table of that name, or none. A segment is one of package index; its numbers are never
// used again. The chunks of segment n are those from n<<chunkBits on. first has the first event of each actor and call,
// address or region, by a hash of them. floor is the id below which events are being deleted and are not seen any more.
const tables = `
CREATE TABLE dictionary (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE event (id INTEGER PRIMARY KEY, event_id BLOB NOT NULL UNIQUE, record BLOB NOT NULL, tags INTEGER);
CREATE TABLE tags (hash INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE segment (
	id     INTEGER PRIMARY KEY AUTOINCREMENT,
	docs   INTEGER NOT NULL,
	oldest INTEGER NOT NULL,
	newest INTEGER NOT NULL,
	ids    BLOB NOT NULL,
	firsts BLOB NOT NULL
);
CREATE TABLE chunk (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE first (hash INTEGER PRIMARY KEY, id INTEGER NOT NULL);
CREATE TABLE floor (only INTEGER PRIMARY KEY CHECK (only = 1), id INTEGER NOT NULL);
`

// chunkBits leaves room for the chunks of a segment in their ids: a segment of the longest records has fewer.
const chunkBits = 24

// build makes the tables of a new store in the empty file at path.
func build(ctx context.Context, path string) error {
	db, err := connect(path, forWriting, "synchronous(FULL)")
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, script := range []string{
		"PRAGMA page_size = 8192",
		fmt.Sprintf("BEGIN; PRAGMA application_id = %d; PRAGMA user_version = %d; %s COMMIT", applicationID, schemaVersion, tables),
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
