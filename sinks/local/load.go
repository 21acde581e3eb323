package local

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// Filling a store is twice as quick when its indices are made afterwards, from sorted entries. While it is being filled the
// indices of event are gone, and entries of the list tables wait in tables without an order, named with a suffix. The file
// says all of that by itself: a load that was interrupted is finished when the store is opened next, and another process
// may finish it while this one goes on writing.
const waiting = "_load"

// lists is how many list tables there are.
const lists = 3

// listTables are the tables of attributes that an event has several values of, in the order of inserter.lists.
func listTables() [lists]string { return [...]string{"actor", "resource", "resource_type"} }

// ErrLoading is the error of a query with filters while a store is being loaded.
var ErrLoading = errors.New("the store is being loaded: ask again when that is done")

// Load prepares the store for many records at once: writes are quicker, and queries with filters are refused until Index.
// It is for a store that is filled before anybody asks.
func (s *Store) Load(ctx context.Context) error {
	err := s.do(ctx, func() error {
		var script strings.Builder
		for line := range strings.Lines(indices) {
			if fields := strings.Fields(line); len(fields) > 5 {
				script.WriteString("DROP INDEX IF EXISTS " + fields[5] + ";")
			}
		}
		for _, table := range listTables() {
			script.WriteString("CREATE TABLE IF NOT EXISTS " + table + waiting + " (term INTEGER, id INTEGER);")
		}
		return s.execute(ctx, script.String())
	})
	if err != nil {
		return fmt.Errorf("preparing the store for a load: %w", storeError(s.path, err))
	}
	return nil
}

// Index ends a load: it makes what queries need. It takes some ten seconds for a million events and is harmless when no
// load was begun. Writes wait meanwhile. When it is interrupted, Open does the rest.
func (s *Store) Index(ctx context.Context) error {
	if err := s.do(ctx, func() error { return s.finishLoad(ctx) }); err != nil {
		return fmt.Errorf("making the store's indices: %w", storeError(s.path, err))
	}
	return nil
}

// finishLoad goes step by step, so that what an interruption leaves is less. It is called by the goroutine that writes.
func (s *Store) finishLoad(ctx context.Context) error {
	var steps []string
	tables, err := waitingTables(ctx, s.db)
	if err != nil || len(tables) == 0 {
		return err
	}
	for line := range strings.Lines(indices) {
		if line = strings.TrimSpace(line); line != "" {
			steps = append(steps, line)
		}
	}
	for table := range tables {
		steps = append(steps, "INSERT OR IGNORE INTO "+table+" SELECT term, id FROM "+table+waiting+" ORDER BY term, id;"+
			"DROP TABLE "+table+waiting+";")
	}
	for _, step := range steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.execute(ctx, step); err != nil {
			return err
		}
	}
	return nil
}

// execute runs a script in one transaction.
func (s *Store) execute(ctx context.Context, script string) error {
	return s.transaction(ctx, func(ctx context.Context) error {
		_, err := s.insert.tx.ExecContext(ctx, script)
		return err
	})
}

// querier is a transaction, or a pool of connections.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// waitingTables says which list tables have entries waiting: none, unless a load was begun.
func waitingTables(ctx context.Context, db querier) (map[string]bool, error) {
	rows, err := db.QueryContext(ctx, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE '%\\"+waiting+"' ESCAPE '\\'")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	tables := make(map[string]bool)
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		tables[strings.TrimSuffix(name, waiting)] = true
	}
	return tables, rows.Err()
}
