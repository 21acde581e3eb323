package local

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// Reader answers questions about the events of a store. It may be open while others write. Its methods may be called
// concurrently.
type Reader struct {
	path   string
	db     *sql.DB
	unpack unpacker

	contents contents // of the index
}

var _ history.Search = (*Reader)(nil)

// readers is how many connections a Reader has at most.
const readers = 4

// OpenReader opens an existing store to read it. cfg is valid. The errors are those of Open; a missing file is one, too.
func OpenReader(ctx context.Context, cfg Config) (*Reader, error) {
	if err := check(cfg.Path); err != nil {
		return nil, err
	}
	db, err := connect(cfg.Path, forReading, "query_only(1)", "cache_size(-8192)")
	if err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	db.SetMaxOpenConns(readers)
	db.SetMaxIdleConns(readers)
	r := &Reader{path: cfg.Path, db: db}
	err = r.learn(ctx)
	if err == nil { // the newest event: a file that was cut off fails here
		var id sql.NullInt64
		err = db.QueryRowContext(ctx, "SELECT max(id) FROM event").Scan(&id)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the store: %w", storeError(cfg.Path, err)), db.Close())
	}
	return r, nil
}

// learn reads the dictionaries of the store.
func (r *Reader) learn(ctx context.Context) error {
	dictionaries, err := readDictionaries(ctx, r.db)
	if err != nil {
		return err
	}
	return r.unpack.use(dictionaries)
}

// Path is the store's file.
func (r *Reader) Path() string { return r.path }

// Close closes the reader. It may be called again.
func (r *Reader) Close() error { return r.db.Close() }

// events reads the events of ids, in their order, with or without their records.
func (v *view) events(ctx context.Context, ids []int64, records bool) ([]history.Event, error) {
	stmt, err := v.tx.PrepareContext(ctx, "SELECT event_id, record, tags FROM event WHERE id = ?")
	if err != nil {
		return nil, err
	}
	defer stmt.Close()
	events := make([]history.Event, 0, len(ids))
	var record cloudtrail.Record
	for _, id := range ids {
		var key any
		var packed []byte
		var tags sql.NullInt64
		if err := stmt.QueryRowContext(ctx, id).Scan(&key, &packed, &tags); err != nil {
			return nil, err
		}
		e, err := v.reader.event(ctx, key, packed, &record)
		if err == nil {
			e.Tags, err = v.reader.tags(ctx, v.tx, tags)
		}
		if err != nil {
			return nil, err
		}
		if !records {
			e.Record = nil
		}
		events = append(events, e)
	}
	return events, nil
}

// event reads one event. record is scratch space.
func (r *Reader) event(ctx context.Context, key any, packed []byte, record *cloudtrail.Record) (history.Event, error) {
	raw, err := r.record(ctx, packed, record)
	if err != nil {
		return history.Event{}, fmt.Errorf("reading record %s: the store is damaged: %w", idOf(key), err)
	}
	e := history.Describe(record).Event
	e.ID, e.Record = idOf(key), raw
	return e, nil
}

// record unpacks and parses a record.
func (r *Reader) record(ctx context.Context, packed []byte, record *cloudtrail.Record) ([]byte, error) {
	raw, unknown, err := r.unpack.unpack(packed)
	if unknown { // its dictionary was made since
		if err = r.learn(ctx); err == nil {
			raw, _, err = r.unpack.unpack(packed)
		}
	}
	if err == nil {
		err = record.Parse(raw)
	}
	return raw, err
}

// Event returns an event with its record. The error wraps history.ErrNotFound when the store has none of this id.
func (r *Reader) Event(ctx context.Context, id string) (history.Event, error) {
	key := keyOf(id)
	var packed []byte
	var tags sql.NullInt64
	err := r.db.QueryRowContext(ctx, "SELECT record, tags FROM event WHERE event_id = ?", key).Scan(&packed, &tags)
	if errors.Is(err, sql.ErrNoRows) {
		return history.Event{}, fmt.Errorf("looking up event %q: %w", id, history.ErrNotFound)
	}
	var e history.Event
	if err == nil {
		e, err = r.event(ctx, key, packed, new(cloudtrail.Record))
	}
	if err == nil {
		e.Tags, err = r.tags(ctx, r.db, tags)
	}
	if err != nil {
		return history.Event{}, fmt.Errorf("looking up event %q: %w", id, storeError(r.path, err))
	}
	return e, nil
}
