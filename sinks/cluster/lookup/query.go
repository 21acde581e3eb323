package lookup

import "strings"

// query is one clause of a search; exactly one member is set. Text from outside is only ever a value of it.
// Source: Elasticsearch Guide, "Query DSL".
type query struct {
	Bool     *boolean            `json:"bool,omitempty"`
	Terms    map[string][]string `json:"terms,omitempty"`
	Wildcard map[string]pattern  `json:"wildcard,omitempty"`
	Prefix   map[string]value    `json:"prefix,omitempty"`
	Phrase   map[string]phrase   `json:"match_phrase,omitempty"`
	Begins   map[string]phrase   `json:"match_phrase_prefix,omitempty"`
	Range    map[string]bounds   `json:"range,omitempty"`
	Exists   *field              `json:"exists,omitempty"`
	IDs      *ids                `json:"ids,omitempty"`
	All      *struct{}           `json:"match_all,omitempty"`
	None     *struct{}           `json:"match_none,omitempty"`
}

// boolean combines clauses. Scores do not count, so that everything is a filter.
type boolean struct {
	Filter  []query `json:"filter,omitempty"`
	Should  []query `json:"should,omitempty"`
	MustNot []query `json:"must_not,omitempty"`
	Minimum int     `json:"minimum_should_match,omitempty"`
}

type pattern struct {
	Value string `json:"value"`
	Fold  bool   `json:"case_insensitive"`
}

type value struct {
	Value string `json:"value"`
}

type phrase struct {
	Query      string `json:"query"`
	Expansions int    `json:"max_expansions,omitempty"` // of the last word
}

type bounds struct {
	From   string `json:"gte,omitempty"`
	Above  string `json:"gt,omitempty"`
	To     string `json:"lte,omitempty"`
	Below  string `json:"lt,omitempty"`
	Format string `json:"format,omitempty"`
}

type field struct {
	Field string `json:"field"`
}

type ids struct {
	Values []string `json:"values"`
}

func everything() query { return query{All: &struct{}{}} }
func nothing() query    { return query{None: &struct{}{}} }

// all passes what passes every clause.
func all(clauses ...query) query {
	switch len(clauses) {
	case 0:
		return everything()
	case 1:
		return clauses[0]
	}
	return query{Bool: &boolean{Filter: clauses}}
}

// either passes what passes one of the clauses.
func either(clauses ...query) query {
	switch len(clauses) {
	case 0:
		return nothing()
	case 1:
		return clauses[0]
	}
	return query{Bool: &boolean{Should: clauses, Minimum: 1}}
}

// neither passes what passes no clause.
func neither(clauses ...query) query { return query{Bool: &boolean{MustNot: clauses}} }

// is passes documents with one of the values in the field.
func is(name string, values ...string) query { return query{Terms: map[string][]string{name: values}} }

// has passes documents with a value in the field.
func has(name string) query { return query{Exists: &field{name}} }

// begins passes documents with a value in the field that begins so.
func begins(name, text string) query {
	return query{Prefix: map[string]value{name: {text}}}
}

// matches passes documents with a value in the field that a pattern of Elasticsearch's matches, whatever its case.
func matches(name, wildcard string) query {
	return query{Wildcard: map[string]pattern{name: {wildcard, true}}}
}

// fits is matches with case.
func fits(name, wildcard string) query {
	return query{Wildcard: map[string]pattern{name: {wildcard, false}}}
}

// ends passes documents with a value in the field that ends so, case included.
func ends(name, text string) query { return fits(name, "*"+literal(text)) }

// documents passes the documents with the ids.
func documents(values ...string) query {
	if len(values) == 0 {
		return nothing()
	}
	return query{IDs: &ids{values}}
}

// literal writes a text as a pattern that matches it and nothing else.
func literal(text string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`).Replace(text)
}

// glob writes a value of a Filter with Glob as a pattern: only * stands for anything.
func glob(text string) string { return strings.NewReplacer(`\`, `\\`, `?`, `\?`).Replace(text) }

// containing is the pattern of what contains a text.
func containing(text string) string { return "*" + literal(text) + "*" }
