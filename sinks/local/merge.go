package local

import (
	"context"
	"database/sql"
	"fmt"

	"go.uber.org/zap"

	"github.com/trailship/trailship/sinks/local/index"
)

// Each commit adds a segment of its own; a question takes a moment for every segment. So those of one class are merged into
// one of the next when there are several: an event is written some three times in all.
const mergeAt = 16

// classes are the sizes, in events, below which segments are merged with each other. Those above are left as they are.
func classes() []int { return []int{256, 4096, index.MaxDocs * 3 / 4} }

// stored is a segment's row without what it holds.
type stored struct {
	id             int64
	docs           int
	oldest, newest int64
}

// tidy merges segments until there is nothing to merge. What goes wrong is logged: nothing is lost by it.
func (s *Store) tidy(ctx context.Context) {
	for {
		all, err := segments(ctx, s.db) // without the file's lock: mostly there is nothing to do
		if err == nil && toMerge(all) == nil {
			return
		}
		if err == nil {
			err = s.transaction(ctx, s.mergeSome)
		}
		if err != nil {
			s.log.Warn("parts of the store's index stay small, and questions take longer", zap.Error(storeError(s.path, err)))
			return
		}
	}
}

func (s *Store) mergeSome(ctx context.Context) error {
	all, err := segments(ctx, s.insert.tx) // another process may have been quicker
	if err != nil {
		return err
	}
	some := toMerge(all)
	if some == nil {
		return nil
	}
	return s.insert.merge(ctx, some)
}

// toMerge chooses segments of one class, the oldest ones, that make a full one or are many.
func toMerge(all []stored) []stored {
	least := 0
	for _, below := range classes() {
		var class []stored
		for _, x := range all {
			if x.docs >= least && x.docs < below {
				class = append(class, x)
			}
		}
		for len(class) > 1 {
			some, full := fill(class)
			if len(some) > 1 && (full || len(some) >= mergeAt) {
				return some
			}
			class = class[1:] // perhaps they fit without it
		}
		least = below
	}
	return nil
}

// fill takes segments as they fit into one. full says that it is so large then that it is not merged any more, or that
// there are more.
func fill(class []stored) (some []stored, full bool) {
	sum := 0
	for _, x := range class {
		if sum+x.docs > index.MaxDocs {
			full = true
			continue
		}
		some = append(some, x)
		sum += x.docs
	}
	return some, full || sum >= index.MaxDocs*3/4
}

// querier is a transaction, or a pool of connections.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// segments lists the segments in the order they were made.
func segments(ctx context.Context, db querier) (all []stored, err error) {
	rows, err := db.QueryContext(ctx, "SELECT id, docs, oldest, newest FROM segment ORDER BY id")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var x stored
		if err := rows.Scan(&x.id, &x.docs, &x.oldest, &x.newest); err != nil {
			return nil, err
		}
		all = append(all, x)
	}
	return all, rows.Err()
}

// merge puts one segment in the place of some.
func (n *inserter) merge(ctx context.Context, some []stored) error {
	parts := make([]index.Part, len(some))
	for i, x := range some {
		var err error
		if parts[i].Segment, err = readSegment(ctx, n.tx, x.id); err != nil {
			return err
		}
		if parts[i].Chunks, err = readChunks(ctx, n.tx, x.id<<chunkBits, (x.id+1)<<chunkBits); err != nil {
			return err
		}
	}
	merged, err := index.Merge(parts)
	if err != nil {
		return fmt.Errorf("merging parts of the index: %w", err)
	}
	if err := n.segment(ctx, merged); err != nil {
		return err
	}
	for _, x := range some {
		if err := n.dropSegment(ctx, x.id); err != nil {
			return err
		}
	}
	return nil
}

func (n *inserter) dropSegment(ctx context.Context, id int64) error {
	_, err := n.tx.ExecContext(ctx, "DELETE FROM chunk WHERE id >= ? AND id < ?", id<<chunkBits, (id+1)<<chunkBits)
	if err == nil {
		_, err = n.tx.ExecContext(ctx, "DELETE FROM segment WHERE id = ?", id)
	}
	return err
}

// readSegment reads a segment's table of contents.
func readSegment(ctx context.Context, tx *sql.Tx, id int64) (*index.Segment, error) {
	var ids, firsts []byte
	err := tx.QueryRowContext(ctx, "SELECT ids, firsts FROM segment WHERE id = ?", id).Scan(&ids, &firsts)
	if err != nil {
		return nil, err
	}
	s, err := index.Open(ids, firsts)
	if err != nil {
		return nil, fmt.Errorf("reading part %d of the index: %w", id, err)
	}
	return s, nil
}

// readChunks reads the chunks with ids from, and up to.
func readChunks(ctx context.Context, tx *sql.Tx, from, to int64) (chunks [][]byte, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT data FROM chunk WHERE id >= ? AND id < ? ORDER BY id", from, to)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var data []byte
		if err := rows.Scan(&data); err != nil {
			return nil, err
		}
		chunks = append(chunks, data)
	}
	return chunks, rows.Err()
}
