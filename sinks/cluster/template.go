package cluster

import (
	"strings"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/ecs"
)

// Version is the version of both templates. Raise it with every change to them: a cluster keeps a newer one.
const Version = 2

const (
	// DefaultIndex is the index pattern whose template has the plain name.
	DefaultIndex = "logs-aws.cloudtrail-trailship-{yyyy.MM.dd}"
	// RawIndex is the same for records as CloudTrail wrote them.
	RawIndex = "cloudtrail-raw-{yyyy.MM.dd}"

	// The priorities are above the 100 to 200 of Elastic's own logs-*-* and integrations. That of a stream is higher by one,
	// because two templates of one priority may not match the same name.
	priority       = 500
	streamPriority = 501
)

// Template is an index template of ours. Source: Elasticsearch Guide, "Create or update index template API".
type Template struct {
	Name    string
	Pattern string
	// mapping builds the properties from the types that the cluster takes.
	mapping  func(types) object
	settings object
	stream   bool     // what it matches is a data stream
	runtime  []string // keywords that Elasticsearch reads from the source at search time
}

// object is a JSON object on its way into a request.
type object map[string]any

// body is the request that installs the template.
func (t Template) body(known types) object {
	meta := object{"managed_by": "trailship", "version": Version}
	body := object{
		"index_patterns": []string{t.Pattern}, "priority": priority, "version": Version, "_meta": meta,
		"template": object{"settings": t.settings, "mappings": t.mappings(known)},
	}
	if t.stream {
		body["data_stream"], body["priority"] = object{}, streamPriority
	}
	return body
}

// mappings type every field that we write and leave all others unindexed.
func (t Template) mappings(known types) object {
	m := object{"dynamic": false, "date_detection": false, "properties": t.mapping(known)}
	if len(t.runtime) > 0 && known.name("flattened") == "flattened" && known.name("runtime") != "" {
		fields := object{}
		for _, name := range t.runtime {
			fields[name] = object{"type": "keyword"}
		}
		m["runtime"] = fields
	}
	return m
}

// Documents is the template of the index that documents go to.
func Documents(index pipeline.IndexPattern) Template {
	return Template{
		Name: nameFor("trailship-cloudtrail", index, DefaultIndex), Pattern: index.Wildcard(), mapping: documentProperties,
		settings: object{"index": object{"mapping": object{"ignore_malformed": true}}},
	}
}

// RawDocuments is the template of the index that records go to as CloudTrail wrote them. What rules look for by parts of
// words inside of flattened objects are runtime fields on Elasticsearch; OpenSearch's flat_object needs none.
func RawDocuments(index pipeline.IndexPattern) Template {
	t := Documents(index)
	t.Name = nameFor("trailship-cloudtrail-raw", index, RawIndex)
	t.mapping, t.runtime = rawProperties, ecs.RawLeaves()
	return t
}

// nameFor is base for the usual index, else a name of the index's own: two daemons, two templates.
func nameFor(base string, index pipeline.IndexPattern, usual string) string {
	if p, err := pipeline.ParseIndexPattern(usual); err == nil && index == p {
		return base
	}
	return base + "-" + strings.Trim(strings.ReplaceAll(index.Wildcard(), "*", "x"), "-.")
}

// Stream is the template of the data stream that documents go to. Its name differs from that of an index of the same name,
// so that one is not taken for the other.
func Stream(index pipeline.IndexPattern) Template {
	t := Documents(index)
	t.Name, t.stream = t.Name+"-stream", true
	return t
}

// DeadLetters is the template of the index that dead letters go to.
func DeadLetters(index string) Template {
	name := "trailship-dead-letters"
	if index != name {
		name += "-" + index
	}
	return Template{Name: name, Pattern: index, mapping: letterProperties, settings: object{}}
}

// documentProperties are the types of all fields that a document can have.
func documentProperties(known types) object { return properties(ecs.Fields(), known) }

// rawProperties are the types of the fields of raw documents.
func rawProperties(known types) object { return properties(ecs.RawFields(), known) }

func properties(fields []ecs.Field, known types) object {
	root := object{}
	for _, f := range fields {
		place(root, strings.Split(f.Name, "."), known.of(f))
	}
	return root
}

// place puts a field's mapping at its path, making the objects on the way.
func place(root object, path []string, mapping object) {
	for _, name := range path[:len(path)-1] {
		parent, ok := root[name].(object)
		if !ok {
			parent = object{"properties": object{}}
			root[name] = parent
		}
		root, _ = parent["properties"].(object)
	}
	root[path[len(path)-1]] = mapping
}

// letterProperties are the fields that sinks/deadletter writes.
func letterProperties(types) object {
	keyword, number := object{"type": "keyword", "ignore_above": 1024}, object{"type": "long"}
	return object{
		"@timestamp": object{"type": "date"},
		"reason":     object{"type": "text"},
		"type":       keyword,
		"status":     number,
		"index":      keyword,
		"bucket":     keyword,
		"key":        keyword,
		"number":     number,
		"offset":     number,
		"record":     object{"type": "keyword", "index": false, "doc_values": false},
	}
}
