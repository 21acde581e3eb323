package local

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// Reader answers questions about the events of a store. It may be open while others write. Its methods may be called
// concurrently.
type Reader struct {
	path   string
	db     *sql.DB
	unpack unpacker
}

// ErrNotFound is the error of an event that the store does not have.
var ErrNotFound = errors.New("there is no such event")

// readers is how many connections a Reader has at most.
const readers = 4

// OpenReader opens an existing store to read it. cfg is valid. The errors are those of Open; a missing file is one, too.
func OpenReader(ctx context.Context, cfg Config) (*Reader, error) {
	if err := check(cfg.Path); err != nil {
		return nil, err
	}
	db, err := connect(cfg.Path, "query_only(1)", "cache_size(-8192)")
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

// Events answers a query. It ends with ctx: two frequent values that never meet can take seconds in a store of many
// millions. A *QueryError says what is wrong with the query.
func (r *Reader) Events(ctx context.Context, q Query) (Page, error) {
	if q.Limit == 0 {
		q.Limit = DefaultLimit
	}
	if q.Limit < 1 || q.Limit > MaxLimit {
		return Page{}, wrong("the limit is %d: give 1 to %d", q.Limit, MaxLimit)
	}
	s, err := spanOf(&q)
	if err != nil {
		return Page{}, err
	}
	page, err := r.page(ctx, &q, s)
	if wrong := (*QueryError)(nil); errors.As(err, &wrong) {
		return Page{}, err
	}
	if err != nil {
		return Page{}, fmt.Errorf("looking events up: %w", storeError(r.path, err))
	}
	return page, nil
}

func (r *Reader) page(ctx context.Context, q *Query, s span) (Page, error) {
	all, none, err := conditions(ctx, r.db, q.Filters)
	if err != nil || none {
		return Page{}, err
	}
	if len(all) > 0 {
		if tables, err := waitingTables(ctx, r.db); err != nil || len(tables) > 0 {
			return Page{}, cmp.Or(err, ErrLoading)
		}
	}
	driver, rest, err := r.choose(ctx, all, s)
	if err != nil {
		return Page{}, err
	}
	ids, err := r.ids(ctx, list(driver, rest, s, q.Limit+1)) // one more says whether there is a next page
	if err != nil {
		return Page{}, err
	}
	var page Page
	if len(ids) > q.Limit {
		ids = ids[:q.Limit]
		page.Next = Cursor(strconv.FormatInt(ids[len(ids)-1], 36))
	}
	page.Events, err = r.events(ctx, ids, q.Records)
	return page, err
}

// choose takes the condition with the fewest entries to start from.
func (r *Reader) choose(ctx context.Context, all []condition, s span) (driver *condition, rest []condition, err error) {
	if len(all) == 0 {
		return nil, nil, nil
	}
	best, fewest := 0, int64(enough+1)
	for i := range all {
		if len(all) == 1 {
			break
		}
		q := count(&all[i], s)
		var n int64
		if err := r.db.QueryRowContext(ctx, q.String(), q.args...).Scan(&n); err != nil {
			return nil, nil, err
		}
		if n < fewest {
			best, fewest = i, n
		}
	}
	return &all[best], slices.Concat(all[:best], all[best+1:]), nil
}

func (r *Reader) ids(ctx context.Context, q *statement) (ids []int64, err error) {
	rows, err := r.db.QueryContext(ctx, q.String(), q.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// events reads the events of ids, which are in order, with or without their records.
func (r *Reader) events(ctx context.Context, ids []int64, records bool) ([]Event, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	q := &statement{}
	q.add("SELECT event_id, record FROM event WHERE id IN ")
	keys := make([]any, len(ids))
	for i, id := range ids {
		keys[i] = id
	}
	q.in(keys)
	q.add(" ORDER BY id DESC")
	rows, err := r.db.QueryContext(ctx, q.String(), q.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	events := make([]Event, 0, len(ids))
	var record cloudtrail.Record
	for rows.Next() {
		var key any
		var packed sql.RawBytes
		if err := rows.Scan(&key, &packed); err != nil {
			return nil, err
		}
		e, err := r.event(ctx, key, packed, &record)
		if err != nil {
			return nil, err
		}
		if !records {
			e.Record = nil
		}
		events = append(events, e)
	}
	return events, rows.Err()
}

// event reads one event. record is scratch space.
func (r *Reader) event(ctx context.Context, key any, packed []byte, record *cloudtrail.Record) (Event, error) {
	raw, unknown, err := r.unpack.unpack(packed)
	if unknown { // its dictionary was made since
		if err = r.learn(ctx); err == nil {
			raw, _, err = r.unpack.unpack(packed)
		}
	}
	if err == nil {
		err = record.Parse(raw)
	}
	if err != nil {
		return Event{}, fmt.Errorf("reading record %s: the store is damaged: %w", idOf(key), err)
	}
	e := describe(record).Event
	e.ID, e.Record = idOf(key), raw
	return e, nil
}

// Event returns an event with its record. The error wraps ErrNotFound when the store has none of this id.
func (r *Reader) Event(ctx context.Context, id string) (Event, error) {
	key := keyOf(id)
	var packed []byte
	err := r.db.QueryRowContext(ctx, "SELECT record FROM event WHERE event_id = ?", key).Scan(&packed)
	if errors.Is(err, sql.ErrNoRows) {
		return Event{}, fmt.Errorf("looking up event %q: %w", id, ErrNotFound)
	}
	var e Event
	if err == nil {
		e, err = r.event(ctx, key, packed, new(cloudtrail.Record))
	}
	if err != nil {
		return Event{}, fmt.Errorf("looking up event %q: %w", id, storeError(r.path, err))
	}
	return e, nil
}

// Span says between which times the events of the store lie; both are zero when it has none of a known time.
func (r *Reader) Span(ctx context.Context) (oldest, newest time.Time, err error) {
	var first, last sql.NullInt64
	err = r.db.QueryRowContext(ctx, "SELECT (SELECT min(id) FROM event WHERE id >= ?), (SELECT max(id) FROM event WHERE id >= ?)",
		dated, dated).Scan(&first, &last)
	if err != nil {
		return oldest, newest, fmt.Errorf("looking up the times of events: %w", storeError(r.path, err))
	}
	if first.Valid {
		oldest, newest = time.Unix(first.Int64>>sequenceBits, 0).UTC(), time.Unix(last.Int64>>sequenceBits, 0).UTC()
	}
	return oldest, newest, nil
}

// dated is the first id of an event whose time is known: those of second 0 and some that follow, if it is full, have none.
const dated = 1_000_000 << sequenceBits
