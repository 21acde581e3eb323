package local

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// How transactions begin: one that writes takes the file's lock at once, one that reads none.
const (
	forWriting = "immediate"
	forReading = "deferred"
)

// connect opens the SQLite file at path, with pragmas for each connection. It makes no file and does not look at it yet.
func connect(path, begin string, pragmas ...string) (*sql.DB, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	query := url.Values{"mode": {"rw"}, "_txlock": {begin}, "_pragma": append([]string{"busy_timeout(10000)"}, pragmas...)}
	name := url.URL{Scheme: "file", Path: absolute, RawQuery: query.Encode()}
	// Else the locks that SQLite holds were lost whenever this process closes the file that check has opened. Where there
	// are no such locks, one process must not open one store twice.
	sqlite.OFDLocking(true) //nolint:errcheck // as said
	connector, err := sqlite.NewConnector(name.String())
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// ensure makes sure that path is a store, and makes one when there is no file, or an empty one. A new store is built
// beside and renamed, so that whatever stands at path is whole at any moment.
func ensure(ctx context.Context, path string) error {
	err := check(path)
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errEmpty) {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*")
	if err != nil {
		return fmt.Errorf("making the store %s: %w", path, err)
	}
	defer os.Remove(file.Name())
	if err = file.Close(); err == nil {
		err = build(ctx, file.Name())
	}
	if err == nil {
		err = place(file.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("making the store %s: %w", path, err)
	}
	return check(path)
}

// place moves a new store to its path, unless another process was quicker.
func place(from, path string) error {
	if errors.Is(check(path), errEmpty) {
		return os.Rename(from, path)
	}
	err := os.Link(from, path)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return nil
	}
	return os.Rename(from, path) // a file system without links
}

// errEmpty is the error of a file of no bytes.
var errEmpty = errors.New("the file is empty")

// check reads the file's header, without SQLite and without touching anything, and says what is wrong if it is no store of
// ours. Source: sqlite.org, "Database File Format", section 1.3.
func check(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("opening the store: %w", err)
	}
	defer file.Close()
	var header [100]byte
	n, err := io.ReadFull(file, header[:])
	switch {
	case errors.Is(err, io.EOF):
		return fmt.Errorf("opening the store %s: %w", path, errEmpty)
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("opening the store %s: %w", path, err)
	case n < len(header) || string(header[:16]) != "SQLite format 3\x00":
		return fmt.Errorf("opening the store %s: this is no store of trailship's: it is no SQLite file, or its beginning is damaged; "+
			"name another path, or restore the file from a copy", path)
	}
	id, version := binary.BigEndian.Uint32(header[68:]), binary.BigEndian.Uint32(header[60:])
	switch {
	case id != applicationID:
		return fmt.Errorf("opening the store %s: this SQLite file belongs to another program; name another path", path)
	case version != schemaVersion:
		return fmt.Errorf("opening the store %s: it is of version %d and this trailship knows version %d; "+
			"use the trailship that wrote it, or name another path", path, version, schemaVersion)
	}
	return nil
}

// storeError adds to an error of SQLite what the user can do about it.
func storeError(path string, err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	advice := ""
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		advice = "the store is damaged: restore the file from a copy, or move it away and read the logs again; " +
			"sqlite3's .recover may save what is left"
	case sqlite3.SQLITE_FULL:
		advice = "the disk is full: make room, it goes on by itself"
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		advice = "the file and its folder must be writable for this user"
	case sqlite3.SQLITE_BUSY:
		advice = "another process holds the store: end it, or wait"
	default:
		return err
	}
	return &adviceError{err: err, text: strings.Join([]string{path, advice}, ": ")}
}

// adviceError is an error that begins with what to do about it.
type adviceError struct {
	err  error
	text string
}

func (e *adviceError) Error() string { return e.text + " (" + e.err.Error() + ")" }

func (e *adviceError) Unwrap() error { return e.err }
