package history

import (
	"strings"
	"time"
)

// around is how far the events around an event reach on each side.
const around = 5 * time.Minute

// maxPivots is how many resources of an event have a pivot.
const maxPivots = 20

// Pivots are the questions that lead on from an event: what else its user, session, key, address and resources have to
// do with, what happened around it, who assumed its session, one hop of a role chain, and what was done with credentials
// that it made.
func Pivots(e *Event) []Question {
	var all []Question
	add := func(name, title, description string, filters ...Filter) {
		all = append(all, Question{name, title, description, ask(filters...), []Attribute{EventName, OutcomeIs}})
	}
	if e.User != "" {
		add("same-user", "Same user", "Events of "+e.User+".", is(User, e.User))
		add("same-call", "This user, this call", "Other calls of "+e.Name+" by "+e.User+".",
			is(User, e.User), is(EventSource, e.Source), is(EventName, e.Name))
	}
	if who := firstOf(e.RoleARN, e.Role); who != "" {
		add("same-role", "Same role", "Events of all sessions of "+who+".", is(User, who))
	}
	if e.Session != "" {
		add("same-session", "Same session", "Events of this one session.", is(Session, e.Session))
	}
	if began := compact(e.AccessKey, e.Session); len(began) > 0 {
		add("session-began", "Who began this session", "The call that made these credentials: one hop up the role chain.", is(Issued, began...))
	}
	if f := issuedTo(e.Issued); f != nil {
		add("issued", "What was done with these credentials", "Events with the credentials that this call made: one hop down the role chain.", *f)
	}
	if e.AccessKey != "" {
		add("same-key", "Same access key", "Events signed with "+e.AccessKey+".", is(AccessKey, e.AccessKey))
	}
	if e.SourceIP != "" {
		add("same-address", "Same address", "Events from "+e.SourceIP+".", is(SourceIP, e.SourceIP))
	}
	if e.SharedID != "" {
		add("twins", "The same in other accounts", "Other accounts' records of this call.", is(SharedID, e.SharedID))
	}
	for i := range min(len(e.Resources), maxPivots) {
		add("same-resource", "Same resource", "Events about "+e.Resources[i].Name+".", is(ResourceName, e.Resources[i].Name))
	}
	if !e.Time.IsZero() {
		all = append(all, Question{
			"around", "Five minutes around", "All events of the five minutes before and after.",
			Query{Since: At(e.Time.Add(-around)), Until: At(e.Time.Add(around))},
			[]Attribute{User, EventName},
		})
	}
	return all
}

// issuedTo filters the events of the credentials that a call has made, nil when it made none. A session says more than a
// key: of one from the console there are several keys.
func issuedTo(issued []string) *Filter {
	a := AccessKey
	for _, v := range issued {
		if strings.Contains(v, " ") {
			a = Session
		}
	}
	if len(issued) == 0 {
		return nil
	}
	f := is(a, issued...)
	return &f
}
