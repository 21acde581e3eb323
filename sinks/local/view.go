package local

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/trailship/trailship/sinks/local/index"
)

// view is the store at one moment, as one question sees it.
type view struct {
	reader *Reader
	tx     *sql.Tx
	floor  int64 // events below it are being deleted
	parts  []stored
	chunk  *sql.Stmt
}

// look opens a view, hands it to f and closes it.
func (r *Reader) look(ctx context.Context, f func(*view) error) (err error) {
	conn, err := r.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	// The questions within end with ctx. A transaction that did so, too, would be ended by a goroutine of its own, which
	// throws the connection away.
	tx, err := conn.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // it has read only
	v := &view{reader: r, tx: tx, floor: math.MinInt64}
	var floor sql.NullInt64
	if err := tx.QueryRowContext(ctx, "SELECT max(id) FROM floor").Scan(&floor); err != nil {
		return err
	}
	if floor.Valid {
		v.floor = floor.Int64
	}
	if v.parts, err = segments(ctx, tx); err != nil {
		return err
	}
	if v.chunk, err = tx.PrepareContext(ctx, "SELECT data FROM chunk WHERE id = ?"); err != nil {
		return err
	}
	defer v.chunk.Close()
	return f(v)
}

// part is a segment that is being asked.
type part struct {
	*index.Segment
	stored
	view *view
}

// open reads a segment's table of contents, or has it.
func (v *view) open(ctx context.Context, x stored) (*part, error) {
	s := v.reader.contents.get(x.id)
	if s == nil {
		var err error
		if s, err = readSegment(ctx, v.tx, x.id); err != nil {
			return nil, err
		}
		v.reader.contents.put(x.id, s)
	}
	return &part{Segment: s, stored: x, view: v}, nil
}

// find adds the events that have a key to a set.
func (p *part) find(ctx context.Context, key string, to index.Set) error {
	n := p.Chunk(key)
	if n < 0 {
		return nil
	}
	var data []byte
	if err := p.view.chunk.QueryRowContext(ctx, p.id<<chunkBits+int64(n)).Scan(&data); err != nil {
		return err
	}
	l, err := p.Find(data, key)
	if err == nil && l.N > 0 {
		err = l.AddTo(to)
	}
	return p.wrap(err)
}

// scan calls f with the entries of keys from, and up to. What f is given is good until it returns.
func (p *part) scan(ctx context.Context, from, to string, f func(key []byte, l index.List) error) error {
	first, last := p.Chunks(from, to)
	if first == last {
		return nil
	}
	rows, err := p.view.tx.QueryContext(ctx, "SELECT data FROM chunk WHERE id >= ? AND id < ? ORDER BY id",
		p.id<<chunkBits+int64(first), p.id<<chunkBits+int64(last))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var data sql.RawBytes
		if err := rows.Scan(&data); err != nil {
			return err
		}
		var failed error
		err := p.Scan(data, func(key []byte, l index.List) bool {
			if string(key) >= from && (to == "" || string(key) < to) {
				failed = f(key, l)
			}
			return failed == nil && (to == "" || string(key) < to)
		})
		if err == nil {
			err = failed
		}
		if err != nil {
			return p.wrap(err)
		}
	}
	return rows.Err()
}

// scanCode is scan with all keys of a code.
func (p *part) scanCode(ctx context.Context, code byte, f func(key []byte, l index.List) error) error {
	return p.scan(ctx, string(code), string(code+1), f)
}

func (p *part) wrap(err error) error {
	if err != nil {
		return fmt.Errorf("reading part %d of the index: %w", p.id, err)
	}
	return nil
}

// contents keeps tables of contents, which never change, of up to maxContents events.
type contents struct {
	mu   sync.Mutex
	all  map[int64]*index.Segment
	docs int
}

// maxContents bounds the memory of what is kept: 8 bytes an event.
const maxContents = 4 << 20

func (c *contents) get(id int64) *index.Segment {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all[id]
}

func (c *contents) put(id int64, s *index.Segment) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = make(map[int64]*index.Segment)
	}
	if _, there := c.all[id]; there {
		return
	}
	for old, x := range c.all { // any one: merged ones go this way, too
		if c.docs+s.Docs() <= maxContents {
			break
		}
		c.docs -= x.Docs()
		delete(c.all, old)
	}
	c.all[id] = s
	c.docs += s.Docs()
}

// newestFirst orders a view's segments by their newest event, or by their oldest one.
func (v *view) order(oldest bool) {
	slices.SortFunc(v.parts, func(a, b stored) int {
		if oldest {
			return compare(a.oldest, b.oldest)
		}
		return compare(b.newest, a.newest)
	})
}

func compare(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
