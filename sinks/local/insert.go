package local

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/sinks/local/index"
)

// inserter puts rows into the store, within a transaction that its caller begins and ends. One goroutine uses it.
type inserter struct {
	prepared [statements]*sql.Stmt
	firsts   map[int64]int64 // the first event of a hash, as far as it is known here

	tx     *sql.Tx
	within [statements]*sql.Stmt // prepared, within tx
	next   map[int64]int64       // seconds, and the next free id in each
}

// The statements of an inserter.
const (
	lastOf = iota
	addEvent
	addFirst
	addSegment
	addChunk
	addTags
	statements
)

// maxFirsts bounds the memory of the first events that are known without asking.
const maxFirsts = 500_000

func newInserter(ctx context.Context, db *sql.DB) (*inserter, error) {
	n := &inserter{firsts: make(map[int64]int64)}
	for i, text := range [statements]string{
		lastOf:   "SELECT max(id) FROM event WHERE id BETWEEN ? AND ?",
		addEvent: "INSERT INTO event (id, event_id, record, tags) VALUES (?,?,?,?) ON CONFLICT (event_id) DO NOTHING",
		addFirst: `INSERT INTO first (hash, id) VALUES (?,?) ON CONFLICT (hash)
			DO UPDATE SET id = excluded.id WHERE excluded.id < id`,
		addSegment: "INSERT INTO segment (docs, oldest, newest, ids, firsts) VALUES (?,?,?,?,?)",
		addChunk:   "INSERT INTO chunk (id, data) VALUES (?,?)",
		addTags:    "INSERT OR IGNORE INTO tags (hash, data) VALUES (?,?)",
	} {
		var err error
		if n.prepared[i], err = db.PrepareContext(ctx, text); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// begin makes tx the transaction of what follows.
func (n *inserter) begin(ctx context.Context, tx *sql.Tx) {
	n.tx = tx
	for i, stmt := range n.prepared {
		n.within[i] = tx.StmtContext(ctx, stmt)
	}
}

// insert adds rows in the order of their times, which keeps neighbours on one page, indexes them and sets their fates.
func (n *inserter) insert(ctx context.Context, rows []*row, fates []pipeline.Fate) error {
	n.next = make(map[int64]int64)
	order := make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rows[a].second, rows[b].second) })
	docs := make([]index.Doc, 0, len(rows))
	for _, i := range order {
		id, added, err := n.event(ctx, rows[i])
		if err != nil {
			return err
		}
		fates[i].Outcome = pipeline.Duplicate
		if added {
			fates[i].Outcome = pipeline.Indexed
			docs = append(docs, index.Doc{ID: id, Keys: rows[i].keys})
		}
	}
	for part := range slices.Chunk(docs, index.MaxDocs) {
		if err := n.segment(ctx, index.Build(part)); err != nil {
			return err
		}
	}
	return nil
}

// segment adds a segment of the index.
func (n *inserter) segment(ctx context.Context, w *index.Written) error {
	result, err := n.within[addSegment].ExecContext(ctx, w.Docs, w.Oldest, w.Newest, w.IDs, w.Firsts)
	if err != nil {
		return fmt.Errorf("adding to the index: %w", err)
	}
	id, err := result.LastInsertId()
	if err != nil {
		return err
	}
	for i, data := range w.Chunks {
		if _, err := n.within[addChunk].ExecContext(ctx, id<<chunkBits+int64(i), data); err != nil {
			return fmt.Errorf("adding to the index: %w", err)
		}
	}
	return nil
}

// reset forgets what a transaction that was rolled back has left.
func (n *inserter) reset() { clear(n.firsts) }

// dictionary keeps a compression dictionary and returns the one to use: another process may have been quicker.
func (n *inserter) dictionary(ctx context.Context, d *dictionary) (data []byte, err error) {
	if _, err := n.tx.ExecContext(ctx, "INSERT OR IGNORE INTO dictionary VALUES (?, ?)", d.id, d.data); err != nil {
		return nil, fmt.Errorf("keeping the compression dictionary: %w", err)
	}
	err = n.tx.QueryRowContext(ctx, "SELECT data FROM dictionary WHERE id = ?", d.id).Scan(&data)
	return data, err
}

// event adds one row, unless the store has its event.
func (n *inserter) event(ctx context.Context, r *row) (id int64, added bool, err error) {
	if id, err = n.nextID(ctx, r.second); err != nil {
		return 0, false, err
	}
	tags, err := n.tags(ctx, r.tags)
	if err != nil {
		return 0, false, err
	}
	result, err := n.within[addEvent].ExecContext(ctx, id, r.eventID, r.record, tags)
	if err != nil {
		return 0, false, fmt.Errorf("adding an event: %w", err)
	}
	if changed, err := result.RowsAffected(); err != nil || changed == 0 {
		return 0, false, err
	}
	n.next[r.second] = id + 1
	for _, hash := range r.firsts {
		if err := n.first(ctx, hash, id); err != nil {
			return 0, false, err
		}
	}
	return id, true, nil
}

// first keeps that an event may be the first of its kind. Events come in any order.
func (n *inserter) first(ctx context.Context, hash, id int64) error {
	if known, ok := n.firsts[hash]; hash == 0 || ok && known <= id {
		return nil
	}
	if _, err := n.within[addFirst].ExecContext(ctx, hash, id); err != nil {
		return fmt.Errorf("keeping a first event: %w", err)
	}
	if len(n.firsts) >= maxFirsts {
		clear(n.firsts)
	}
	n.firsts[hash] = id
	return nil
}

// nextID is the first free id of a second, or of the first later one that is not full.
func (n *inserter) nextID(ctx context.Context, second int64) (int64, error) {
	if id, ok := n.next[second]; ok && id>>sequenceBits == second {
		return id, nil
	}
	for at := second; ; at++ {
		first := at << sequenceBits
		end := first | (1<<sequenceBits - 1)
		var last sql.NullInt64
		if err := n.within[lastOf].QueryRowContext(ctx, first, end).Scan(&last); err != nil {
			return 0, fmt.Errorf("finding a free id: %w", err)
		}
		switch {
		case !last.Valid:
			return first, nil
		case last.Int64 < end:
			return last.Int64 + 1, nil
		}
	}
}
