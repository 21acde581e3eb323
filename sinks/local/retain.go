package local

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"go.uber.org/zap"
)

// How events are deleted: as many at a time, so that writes do not wait long, and how often it is looked whether some must.
const (
	deleteAtOnce   = 2000
	retentionEvery = 5 * time.Minute
	retentionPause = 20 * time.Millisecond // between two deletions
)

// retain deletes some events that keep does not keep any more, and says whether there are more.
func (s *Store) retain(ctx context.Context, keep Retention, now time.Time) (more bool) {
	err := s.transaction(ctx, func(ctx context.Context) error {
		floor, err := s.insert.raiseFloor(ctx, keep, now)
		if err != nil {
			return err
		}
		if floor.Valid {
			more, err = s.insert.deleteBelow(ctx, floor.Int64)
		}
		return err
	})
	if err != nil {
		s.log.Warn("old events could not be deleted", zap.Error(storeError(s.path, err)))
		return false
	}
	return more
}

// raiseFloor sets the id below which events go. From then on nobody sees those, although it takes time to delete them.
func (n *inserter) raiseFloor(ctx context.Context, r Retention, now time.Time) (floor sql.NullInt64, err error) {
	if err := n.tx.QueryRowContext(ctx, "SELECT max(id) FROM floor").Scan(&floor); err != nil {
		return floor, err
	}
	wanted := floor
	if r.Age != 0 {
		wanted = sql.NullInt64{Int64: now.Add(-time.Duration(r.Age)).Unix() << sequenceBits, Valid: true}
	}
	if r.Size != 0 {
		id, err := n.floorOfSize(ctx, int64(r.Size), floor)
		if err != nil {
			return floor, err
		}
		if id.Valid && (!wanted.Valid || id.Int64 > wanted.Int64) {
			wanted = id
		}
	}
	if !wanted.Valid || floor.Valid && wanted.Int64 <= floor.Int64 {
		return floor, nil
	}
	_, err = n.tx.ExecContext(ctx, "INSERT OR REPLACE INTO floor (only, id) VALUES (1, ?)", wanted.Int64)
	return wanted, err
}

// floorOfSize is the id that leaves nine tenths of the size that the store may have, when it has more.
func (n *inserter) floorOfSize(ctx context.Context, size int64, floor sql.NullInt64) (id sql.NullInt64, err error) {
	var pages, free, page, events int64
	for text, to := range map[string]*int64{
		"PRAGMA page_count": &pages, "PRAGMA freelist_count": &free, "PRAGMA page_size": &page, "SELECT ifnull(sum(docs), 0) FROM segment": &events,
	} {
		if err := n.tx.QueryRowContext(ctx, text).Scan(to); err != nil {
			return id, err
		}
	}
	used := (pages - free) * page
	if used <= size || events == 0 {
		return id, nil
	}
	deleting := false // then that is to have its effect first
	if floor.Valid {
		err := n.tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM event WHERE id < ?)", floor.Int64).Scan(&deleting)
		if err != nil {
			return id, err
		}
	}
	gone := int64(float64(used-size/10*9) / float64(used) * float64(events))
	if deleting {
		return id, nil
	}
	err = n.tx.QueryRowContext(ctx, "SELECT id FROM event ORDER BY id LIMIT 1 OFFSET ?", gone).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return id, err
}

// deleteBelow deletes some of the events below a floor, and parts of the index that have no other ones.
func (n *inserter) deleteBelow(ctx context.Context, floor int64) (more bool, err error) {
	all, err := segments(ctx, n.tx)
	if err != nil {
		return false, err
	}
	for _, x := range all {
		if x.newest < floor {
			if err := n.dropSegment(ctx, x.id); err != nil {
				return false, err
			}
		}
	}
	result, err := n.tx.ExecContext(ctx, "DELETE FROM event WHERE id IN (SELECT id FROM event WHERE id < ? ORDER BY id LIMIT ?)", floor, deleteAtOnce)
	if err != nil {
		return false, err
	}
	deleted, err := result.RowsAffected()
	return deleted == deleteAtOnce, err
}
