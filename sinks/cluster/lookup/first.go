package lookup

import (
	"cmp"
	"context"
	"time"

	"github.com/trailship/trailship/history"
)

const (
	// maxFirsts is how many combinations of an actor and what they did are looked through for the first events.
	maxFirsts  = 50_000
	firstsPage = 1000
	// firstsTime is how long first events are remembered: a page asks for them several times over.
	firstsTime = time.Minute
)

// firsts remembers the first events of each kind that were found last. Its holder is who takes it out of the channel.
type firsts chan map[string]remembered

type remembered struct {
	until history.Bound
	at    time.Time
	ids   []string
}

func newFirsts() firsts {
	f := make(firsts, 1)
	f <- map[string]remembered{}
	return f
}

// firstOf passes the first events of some kinds, up to the end of the time range: what is later is not before anything.
func (c *Cluster) firstOf(ctx context.Context, kinds []string, until history.Bound) (query, error) {
	var known map[string]remembered
	select {
	case known = <-c.firsts:
	case <-ctx.Done():
		return query{}, ctx.Err()
	}
	defer func() { c.firsts <- known }()
	var values []string
	for _, kind := range kinds {
		r := known[kind]
		if r.ids == nil || r.until.String() != until.String() || time.Since(r.at) > firstsTime {
			ids, err := c.findFirsts(ctx, kind, until)
			if err != nil {
				return query{}, err
			}
			r = remembered{until, time.Now(), ids}
			known[kind] = r
		}
		values = append(values, r.ids...)
	}
	return documents(values...), nil
}

// earliest is the first event found of an actor and what they did.
type earliest struct {
	at time.Time
	id string
}

// findFirsts finds the first events of a kind: it has the cluster combine whoever acted with what they did. An actor is the
// role or user behind a session, else the session itself or the user, else who can be told in other ways.
func (c *Cluster) findFirsts(ctx context.Context, kind string, until history.Bound) ([]string, error) {
	what := map[string][]string{"call": {fieldProvider, fieldAction}, "address": {fieldAddress}, "region": {fieldRegion}}[kind]
	people := fits(fieldIssuer, "*/AWSReservedSSO_*")
	behind := all(has(fieldIssuer), neither(people))
	found := map[string]earliest{}
	for _, by := range []struct {
		who    query
		fields []string
	}{
		{behind, []string{fieldIssuer}},
		{all(neither(behind), has(fieldARN)), []string{fieldARN}},
		{neither(has(fieldARN), behind), []string{fieldIssuer, fieldIdentity, fieldInvokedBy, fieldUser, fieldPrincipal, fieldAccount, fieldBehalf}},
	} {
		clauses := []query{by.who}
		if span, ok := spanOf(&history.Query{Until: until}); ok {
			clauses = append(clauses, span)
		}
		if err := c.combine(ctx, kind, all(clauses...), append(by.fields, what...), found); err != nil {
			return nil, err
		}
	}
	ids := make([]string, 0, len(found))
	for _, first := range found {
		ids = append(ids, first.id)
	}
	return ids, nil
}

// combine adds the earliest event of each combination of values in the fields.
func (c *Cluster) combine(ctx context.Context, kind string, among query, fields []string, to map[string]earliest) error {
	over := &composite{Size: firstsPage}
	for _, name := range fields {
		over.Sources = append(over.Sources, map[string]compositeSource{name: {combined{name, true}}})
	}
	first := aggregation{Top: &top{Size: 1, Sort: ordered(true), Source: sourced{Includes: []string{
		fieldTime, "event.action", "event.provider", "cloud", "source.address", "user.id", "user.name", trailFields + "user_identity",
	}}}}
	for {
		got, err := c.search(ctx, &search{Query: among, Aggregations: map[string]aggregation{
			"combined": {Composite: over, Within: map[string]aggregation{"first": first}},
		}})
		if err != nil {
			return err
		}
		if lacks := got.lacks(); lacks != "" {
			return history.Wrong("which events are first cannot be told: %s", lacks)
		}
		combined := got.Aggregations["combined"]
		for i := range combined.Buckets {
			for _, h := range combined.Buckets[i].First.Hits.Hits {
				remember(&h, kind, to)
			}
		}
		if len(to) > maxFirsts {
			return history.Wrong("the cluster has more than %d pairs of a user and what they did first, too many to find the first %s: ask first: of an earlier time range",
				maxFirsts, kind)
		}
		if len(combined.Buckets) < firstsPage || len(combined.After) == 0 {
			return nil
		}
		over.After = combined.After
	}
}

// remember keeps a document if it is the first of what it is of.
func remember(h *hit, kind string, to map[string]earliest) {
	f := h.read()
	what := map[string]string{"call": f.Source + ":" + f.Name, "address": f.SourceIP, "region": f.Region}[kind]
	actor := f.Actor()
	if actor == "" || what == "" {
		return
	}
	key := actor + "\x00" + what
	before, ok := to[key]
	if !ok || cmp.Or(f.Time.Compare(before.at), cmp.Compare(h.ID, before.id)) < 0 {
		to[key] = earliest{f.Time, h.ID}
	}
}
