package local

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// A Query asks for events, the newest first. The zero Query asks for the newest DefaultLimit of all.
type Query struct {
	Filters      []Filter  // an event must pass all of them
	Since, Until time.Time // both included, to the second; zero: no bound. Events of no time are older than all.
	Before       Cursor    // a Page's Next; "" begins with the newest
	Limit        int       // up to MaxLimit; 0 is DefaultLimit
	Records      bool      // fill in each Event's Record
}

// A Filter passes events of which one value of the attribute is equal to one of Values, case included.
type Filter struct {
	Attribute Attribute
	Values    []string // at least one, at most MaxValues
}

// A Cursor is a place in the list of events, between two of them. It stays good while events are added.
type Cursor string

// The bounds of a query.
const (
	DefaultLimit = 50
	MaxLimit     = 1000
	MaxValues    = 50
)

// Attribute is what a Filter looks at.
type Attribute string

// The attributes. The first eight are those of AWS's LookupEvents.
const (
	EventName    Attribute = "event_name"
	User         Attribute = "user" // user, role or session name, e-mail address, ARN or principal id
	ResourceName Attribute = "resource_name"
	ResourceType Attribute = "resource_type"
	EventSource  Attribute = "event_source"
	AccessKey    Attribute = "access_key"
	EventID      Attribute = "event_id"
	ReadOnly     Attribute = "read_only" // "true"; "false" is what writes, and what does not say
	OutcomeIs    Attribute = "outcome"   // "success", "failure" or "denied", which is a failure, too
	Account      Attribute = "account"
	Region       Attribute = "region"
	SourceIP     Attribute = "source_ip"
	ErrorCode    Attribute = "error_code"
	Identity     Attribute = "identity"
	Session      Attribute = "session" // an Event's Session
)

// A Page is one answer to a Query.
type Page struct {
	Events []Event
	Next   Cursor // where the next page begins, "" when there is none
}

// A QueryError is what is wrong with a Query itself.
type QueryError struct{ Reason string }

func (e *QueryError) Error() string { return "the query is wrong: " + e.Reason }

func wrong(format string, args ...any) error { return &QueryError{fmt.Sprintf(format, args...)} }

// column is where an attribute's values are: a column of event, or a table of its own.
type column struct {
	name  string
	table bool // name is a table (term, id)
	flag  bool // values are numbers as they are, not terms
}

func columnOf(a Attribute) (column, bool) {
	switch a {
	case EventName:
		return column{name: "name"}, true
	case EventSource:
		return column{name: "source"}, true
	case AccessKey:
		return column{name: "access_key"}, true
	case Account:
		return column{name: "account"}, true
	case Region:
		return column{name: "region"}, true
	case SourceIP:
		return column{name: "address"}, true
	case ErrorCode:
		return column{name: "error"}, true
	case Identity:
		return column{name: "identity"}, true
	case Session:
		return column{name: "session"}, true
	case User:
		return column{name: "actor", table: true}, true
	case ResourceName:
		return column{name: "resource", table: true}, true
	case ResourceType:
		return column{name: "resource_type", table: true}, true
	case EventID:
		return column{name: "event_id", flag: true}, true
	case ReadOnly:
		return column{name: "read_only", flag: true}, true
	case OutcomeIs:
		return column{name: "outcome", flag: true}, true
	}
	return column{}, false
}

// condition is a filter in terms of the store: an event passes when the column has one of keys.
type condition struct {
	column
	keys []any
}

// span is a range of ids, both included.
type span struct{ from, to int64 }

// spanOf says which ids a query's times and cursor leave.
func spanOf(q *Query) (span, error) {
	s := span{math.MinInt64, math.MaxInt64}
	if !q.Since.IsZero() {
		since := q.Since.Unix()
		if q.Since.Nanosecond() > 0 {
			since++
		}
		s.from = since << sequenceBits
	}
	if !q.Until.IsZero() {
		s.to = (q.Until.Unix()+1)<<sequenceBits - 1
	}
	if q.Before != "" {
		before, err := strconv.ParseInt(string(q.Before), 36, 64)
		if err != nil || before == math.MinInt64 {
			return s, wrong("%q is no place in a list", q.Before)
		}
		s.to = min(s.to, before-1)
	}
	if !q.Since.IsZero() && !q.Until.IsZero() && q.Since.After(q.Until) {
		return s, wrong("the time range ends before it begins")
	}
	return s, nil
}

// conditions turns filters into conditions. none reports that no event can pass: a value is not in the dictionary.
func conditions(ctx context.Context, db *sql.DB, filters []Filter) (all []condition, none bool, err error) {
	for _, f := range filters {
		c := condition{}
		ok := false
		if c.column, ok = columnOf(f.Attribute); !ok {
			return nil, false, wrong("there is no attribute %q", f.Attribute)
		}
		if len(f.Values) == 0 || len(f.Values) > MaxValues {
			return nil, false, wrong("a filter by %s has %d values: give 1 to %d", f.Attribute, len(f.Values), MaxValues)
		}
		for _, v := range f.Values {
			keys, err := keysOf(ctx, db, f.Attribute, v)
			if err != nil {
				return nil, false, err
			}
			c.keys = append(c.keys, keys...)
		}
		none = none || len(c.keys) == 0
		all = append(all, c)
	}
	return all, none, nil
}

// keysOf is what the store has for one value of a filter.
func keysOf(ctx context.Context, db *sql.DB, a Attribute, v string) ([]any, error) {
	switch a {
	case EventID:
		return []any{keyOf(v)}, nil
	case ReadOnly:
		switch v {
		case "true":
			return []any{1}, nil
		case "false":
			return []any{0}, nil
		}
		return nil, wrong("read_only is true or false, not %q", v)
	case OutcomeIs:
		switch v {
		case "success":
			return []any{int64(Success)}, nil
		case "failure":
			return []any{int64(Failure), int64(Denied)}, nil
		case "denied":
			return []any{int64(Denied)}, nil
		}
		return nil, wrong("outcome is success, failure or denied, not %q", v)
	}
	var id int64
	err := db.QueryRowContext(ctx, "SELECT id FROM term WHERE text = ?", cut(v)).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []any{id}, nil
}

// statement is SQL with its arguments.
type statement struct {
	strings.Builder
	args []any
}

func (s *statement) add(text string, args ...any) {
	s.WriteString(text)
	s.args = append(s.args, args...)
}

// in adds a list of parameters.
func (s *statement) in(keys []any) {
	s.add("(?"+strings.Repeat(",?", len(keys)-1)+")", keys...)
}

// list builds the statement that finds the ids of the newest events. It walks the entries of driver, which are in order
// of time, and looks the rest up for each; every value of driver is one arm of a merge. A plus in front of a column keeps
// SQLite from starting with another index.
func list(driver *condition, rest []condition, s span, limit int) *statement {
	q := &statement{}
	if driver == nil {
		q.add("SELECT id FROM event WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT ?", s.from, s.to, limit)
		return q
	}
	for i, key := range driver.keys {
		if i > 0 {
			q.add(" UNION ")
		}
		arm(q, driver, key, rest)
		q.add(" AND d.id BETWEEN ? AND ?", s.from, s.to)
	}
	q.add(" ORDER BY id DESC LIMIT ?", limit)
	return q
}

func arm(q *statement, driver *condition, key any, rest []condition) {
	plain := false // some condition asks for a column of event
	for i := range rest {
		plain = plain || !rest[i].table
	}
	switch {
	case !driver.table:
		q.add("SELECT d.id AS id FROM event d WHERE d."+driver.name+" = ?", key)
		plain = false
	case plain:
		q.add("SELECT d.id AS id FROM "+driver.name+" d CROSS JOIN event e ON e.id = d.id WHERE d.term = ?", key)
	default:
		q.add("SELECT d.id AS id FROM "+driver.name+" d WHERE d.term = ?", key)
	}
	event := "d"
	if plain {
		event = "e"
	}
	for i := range rest {
		c := &rest[i]
		if c.table {
			q.add(" AND EXISTS (SELECT 1 FROM " + c.name + " t WHERE t.id = d.id AND t.term IN ")
			q.in(c.keys)
			q.add(")")
			continue
		}
		q.add(" AND +" + event + "." + c.name + " IN ")
		q.in(c.keys)
	}
}

// enough is how many entries are counted at most to find the rarest filter.
const enough = 2000

// count builds the statement that says how many entries a condition has in a span, up to enough.
func count(c *condition, s span) *statement {
	q := &statement{}
	q.add("SELECT count(*) FROM (")
	from, key := "event", c.name
	if c.table {
		from, key = c.name, "term"
	}
	q.add("SELECT 1 FROM " + from + " WHERE " + key + " IN ")
	q.in(c.keys)
	q.add(" AND id BETWEEN ? AND ? LIMIT ?)", s.from, s.to, enough)
	return q
}
