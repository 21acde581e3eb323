package cluster

import (
	"errors"
	"regexp"
	"strings"

	"github.com/trailship/trailship/pipeline/ecs"
)

// types are what a cluster calls the types of fields. It begins with Elasticsearch's names; each one that the cluster
// refuses is replaced by the next best.
type types map[string]string

// nextBest is what a type is replaced by: the same searches as far as possible. An empty name is an object whose parts are
// kept but not searched.
func nextBest(kind string) (string, bool) {
	switch kind {
	case "constant_keyword", "wildcard":
		return "keyword", true
	case "match_only_text":
		return "text", true
	case "flattened":
		return "flat_object", true // OpenSearch's name
	case "flat_object":
		return "", true
	}
	return "", false
}

// refused notes that the cluster does not know a type, which an error of its says, and reports whether there is another
// way.
func (t types) refused(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	if strings.Contains(e.Reason, "unsupported parameters") && strings.Contains(e.Reason, "runtime") && t.name("runtime") != "" {
		t["runtime"] = "" // Elasticsearch before 7.11
		return true
	}
	said := regexp.MustCompile(`(?i)no handler for type \[(\w+)\]`).FindStringSubmatch(e.Reason)
	if said == nil {
		return false
	}
	other, ok := nextBest(said[1])
	if _, tried := t[said[1]]; tried || !ok {
		return false
	}
	t[said[1]] = other
	return true
}

// name is what the cluster calls a type; "" when it has nothing like it.
func (t types) name(kind string) string {
	for {
		other, replaced := t[kind]
		if !replaced {
			return kind
		}
		if kind = other; kind == "" {
			return ""
		}
	}
}

// of is the mapping of a field.
func (t types) of(f ecs.Field) object {
	kind := f.Type.String()
	value := constant(f.Name)
	if f.Type == ecs.ConstantKeyword && value == "" {
		kind = "keyword"
	}
	m := object{"type": t.name(kind)}
	switch m["type"] {
	case "":
		return object{"type": "object", "enabled": false}
	case "constant_keyword":
		m["value"] = value // OpenSearch demands it, and it keeps the first document from deciding
	case "keyword":
		if f.IgnoreAbove > 0 {
			m["ignore_above"] = f.IgnoreAbove
		}
		if f.Folded {
			m["normalizer"] = "lowercase" // built in
			m["fields"] = object{"keyword": object{"type": "keyword", "ignore_above": f.IgnoreAbove}}
		}
		if f.Unindexed {
			m["index"], m["doc_values"] = false, false
		}
	case "flattened":
		if f.IgnoreAbove > 0 {
			m["ignore_above"] = f.IgnoreAbove
		}
	}
	if f.Sub != ecs.Keyword {
		m["fields"] = object{"text": object{"type": t.name(f.Sub.String())}}
	}
	return m
}

// constant is the value of a field that is the same in every document, "" for all others.
func constant(field string) string {
	switch field {
	case "data_stream.type":
		return "logs"
	case "data_stream.dataset", "event.dataset":
		return "aws.cloudtrail"
	case "event.module":
		return "aws"
	}
	return ""
}
