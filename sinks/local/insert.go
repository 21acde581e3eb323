package local

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/trailship/trailship/pipeline"
)

// inserter puts rows into the store, within a transaction that its caller begins and ends. One goroutine uses it.
type inserter struct {
	terms    map[string]int64 // of committed terms, up to maxTerms, and of the transaction in hand
	prepared [statements]*sql.Stmt
	lists    [lists][]posting

	tx     *sql.Tx
	within [statements]*sql.Stmt // prepared, within tx
	next   map[int64]int64       // seconds, and the next free id in each
}

// The statements of an inserter; behind the last one there is one for each list table.
const (
	findTerm = iota
	addTerm
	lastOf
	addEvent
	addToList
	statements = addToList + lists
)

// maxTerms bounds the memory of the terms that are known without asking.
const maxTerms = 200_000

// posting is an entry of a list table.
type posting struct{ term, id int64 }

// postingsAtOnce is how many entries one statement takes: a call costs as much as the work for several entries.
const postingsAtOnce = 64

func newInserter(ctx context.Context, db *sql.DB) (*inserter, error) {
	n := &inserter{terms: make(map[string]int64)}
	texts := [statements]string{
		findTerm: "SELECT id FROM term WHERE text = ?",
		addTerm:  "INSERT INTO term (text) VALUES (?)",
		lastOf:   "SELECT max(id) FROM event WHERE id BETWEEN ? AND ?",
		addEvent: `INSERT INTO event (id, event_id, name, source, account, region, address, access_key, identity, error,
			session, agent, read_only, outcome, marks, record) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
			ON CONFLICT (event_id) DO NOTHING`,
	}
	for i, table := range listTables() {
		texts[addToList+i] = intoList(table)
	}
	for i, text := range texts {
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

func intoList(table string) string {
	return "INSERT OR IGNORE INTO " + table + " (term, id) VALUES (?,?)" + strings.Repeat(",(?,?)", postingsAtOnce-1)
}

// insert adds rows in the order of their times, which keeps neighbours on one page, and sets their fates.
func (n *inserter) insert(ctx context.Context, rows []*row, fates []pipeline.Fate) error {
	n.next = make(map[int64]int64)
	if len(n.terms) > maxTerms {
		clear(n.terms)
	}
	order := make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rows[a].second, rows[b].second) })
	for _, i := range order {
		added, err := n.event(ctx, rows[i])
		if err != nil {
			return err
		}
		fates[i].Outcome = pipeline.Duplicate
		if added {
			fates[i].Outcome = pipeline.Indexed
		}
	}
	return n.flush(ctx)
}

// reset forgets what a transaction that was rolled back has left.
func (n *inserter) reset() {
	clear(n.terms)
	for i := range n.lists {
		n.lists[i] = n.lists[i][:0]
	}
}

// dictionary keeps a compression dictionary and returns the one to use: another process may have been quicker.
func (n *inserter) dictionary(ctx context.Context, data []byte) ([]byte, error) {
	if _, err := n.tx.ExecContext(ctx, "INSERT OR IGNORE INTO dictionary VALUES (?, ?)", firstDictionary, data); err != nil {
		return nil, fmt.Errorf("keeping the compression dictionary: %w", err)
	}
	err := n.tx.QueryRowContext(ctx, "SELECT data FROM dictionary WHERE id = ?", firstDictionary).Scan(&data)
	return data, err
}

// event adds one row, unless the store has its event.
func (n *inserter) event(ctx context.Context, r *row) (added bool, err error) {
	id, err := n.nextID(ctx, r.second)
	if err != nil {
		return false, err
	}
	args := make([]any, 0, 6+valueColumns)
	args = append(args, id, r.eventID)
	for _, v := range r.values {
		term, err := n.term(ctx, v)
		if err != nil {
			return false, err
		}
		args = append(args, sql.NullInt64{Int64: term, Valid: term != 0})
	}
	args = append(args, r.readOnly, int64(r.outcome), int64(r.marks), r.record)
	result, err := n.within[addEvent].ExecContext(ctx, args...)
	if err != nil {
		return false, fmt.Errorf("adding an event: %w", err)
	}
	if changed, err := result.RowsAffected(); err != nil || changed == 0 {
		return false, err
	}
	n.next[r.second] = id + 1
	for i, texts := range [lists][]string{r.actors, r.resources, r.types} {
		for _, text := range texts {
			term, err := n.term(ctx, text)
			if err != nil {
				return false, err
			}
			if term != 0 {
				n.lists[i] = append(n.lists[i], posting{term, id})
			}
		}
	}
	return true, nil
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

// term is the id of a value in the dictionary, which gains it if need be; 0 for no value.
func (n *inserter) term(ctx context.Context, text string) (id int64, err error) {
	if text == "" {
		return 0, nil
	}
	text = cut(text)
	if id, ok := n.terms[text]; ok {
		return id, nil
	}
	err = n.within[findTerm].QueryRowContext(ctx, text).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		var result sql.Result
		if result, err = n.within[addTerm].ExecContext(ctx, text); err == nil {
			id, err = result.LastInsertId()
		}
	}
	if err != nil {
		return 0, fmt.Errorf("adding a value to the dictionary: %w", err)
	}
	n.terms[text] = id
	return id, nil
}

// flush inserts the entries of the lists, into the waiting tables while the store is being loaded.
func (n *inserter) flush(ctx context.Context) error {
	tables, err := waitingTables(ctx, n.tx)
	if err != nil {
		return err
	}
	for i, table := range listTables() {
		into := n.within[addToList+i]
		if tables[table] {
			if into, err = n.tx.PrepareContext(ctx, intoList(table+waiting)); err != nil {
				return err
			}
		}
		if err := insertPostings(ctx, into, n.lists[i]); err != nil {
			return fmt.Errorf("adding to %s: %w", table, err)
		}
		n.lists[i] = n.lists[i][:0]
	}
	return nil
}

// insertPostings inserts entries in the order of the table. What is missing in the last statement is filled up with the last
// entry: entries may come twice.
func insertPostings(ctx context.Context, into *sql.Stmt, all []posting) error {
	slices.SortFunc(all, func(a, b posting) int {
		return cmp.Or(cmp.Compare(a.term, b.term), cmp.Compare(a.id, b.id))
	})
	for len(all)%postingsAtOnce != 0 {
		all = append(all, all[len(all)-1])
	}
	args := make([]any, 0, 2*postingsAtOnce)
	for chunk := range slices.Chunk(all, postingsAtOnce) {
		args = args[:0]
		for _, e := range chunk {
			args = append(args, e.term, e.id)
		}
		if _, err := into.ExecContext(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}
