package history

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ReadQuery reads a query from the parameters of an address:
//
//	f=NAME:VALUE    a filter; -NAME leaves events out, NAME* takes * in the value for any text. Values of one NAME with the
//	                same signs are one filter.
//	q=TEXT          words to look for
//	from=, to=      the time range, as ParseBound reads it
//	order=oldest    the oldest first
//	cursor=, limit=
//
// Whatever it does not know is an error and not left out: a filter that is silently ignored shows events that nobody
// asked for. The errors are *QueryError.
func ReadQuery(parameters url.Values, now time.Time) (Query, error) {
	var q Query
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		values := parameters[name]
		if name != "f" && len(values) != 1 {
			return Query{}, Wrong("%s is given %d times: give it once", name, len(values))
		}
		if err := q.readParameter(name, values, now); err != nil {
			return Query{}, err
		}
	}
	return q, q.Validate()
}

func (q *Query) readParameter(name string, values []string, now time.Time) (err error) {
	switch name {
	case "f":
		for _, text := range values {
			if err := q.AddFilter(text); err != nil {
				return err
			}
		}
	case "q":
		q.Text = values[0]
	case "from":
		q.Since, err = ParseBound(values[0], now, false)
	case "to":
		q.Until, err = ParseBound(values[0], now, true)
	case "order":
		if q.Oldest = values[0] == "oldest"; !q.Oldest && values[0] != "newest" {
			return Wrong("order is %q: give newest or oldest", values[0])
		}
	case "cursor":
		q.After = Cursor(values[0])
	case "limit":
		q.Limit, err = strconv.Atoi(values[0])
		if err != nil || q.Limit < 1 || q.Limit > MaxLimit {
			return Wrong("limit is %q: give a number from 1 to %d", values[0], MaxLimit)
		}
	default:
		return Wrong("there is no parameter %q: use f, q, from, to, order, cursor and limit", name)
	}
	return err
}

// AddFilter reads NAME:VALUE as ReadQuery does and adds it to the query. The error is a *QueryError.
func (q *Query) AddFilter(text string) error {
	name, value, ok := strings.Cut(text, ":")
	if !ok {
		return Wrong("%q is no filter: write NAME:VALUE, such as eventName:RunInstances", text)
	}
	var f Filter
	name, f.Not = strings.CutPrefix(name, "-")
	name, f.Glob = strings.CutSuffix(name, "*")
	f.Attribute = Attribute(name)
	if !slices.Contains(Attributes(), f.Attribute) {
		return Wrong("there is no attribute %q: filter by one of %s", name, attributeNames())
	}
	q.Add(f.Attribute, f.Not, f.Glob, value)
	return nil
}

func attributeNames() string {
	var b strings.Builder
	for i, a := range Attributes() {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(a))
	}
	return b.String()
}

// Add adds a value to the filter of the same attribute and signs, and makes the filter when there is none.
func (q *Query) Add(a Attribute, not, glob bool, values ...string) {
	i := slices.IndexFunc(q.Filters, func(f Filter) bool { return f.Attribute == a && f.Not == not && f.Glob == glob })
	if i < 0 {
		i = len(q.Filters)
		q.Filters = append(q.Filters, Filter{Attribute: a, Not: not, Glob: glob})
	}
	q.Filters[i].Values = append(q.Filters[i].Values, values...)
}

// Parameters writes the query as ReadQuery reads it. Two filters of one attribute and the same signs become one there.
func (q *Query) Parameters() url.Values {
	p := url.Values{}
	for _, f := range q.Filters {
		name := string(f.Attribute)
		if f.Not {
			name = "-" + name
		}
		if f.Glob {
			name += "*"
		}
		for _, v := range f.Values {
			p.Add("f", name+":"+v)
		}
	}
	for name, value := range map[string]string{
		"q": q.Text, "from": q.Since.String(), "to": q.Until.String(), "cursor": string(q.After),
	} {
		if value != "" {
			p.Set(name, value)
		}
	}
	if q.Oldest {
		p.Set("order", "oldest")
	}
	if q.Limit != 0 {
		p.Set("limit", strconv.Itoa(q.Limit))
	}
	return p
}
