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
	stream   bool // what it matches is a data stream
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
	return object{"dynamic": false, "date_detection": false, "properties": t.mapping(known)}
}

// Documents is the template of the index that documents go to.
func Documents(index pipeline.IndexPattern) Template {
	name := "trailship-cloudtrail"
	if usual, err := pipeline.ParseIndexPattern(DefaultIndex); err != nil || index != usual {
		name += "-" + strings.Trim(strings.ReplaceAll(index.Wildcard(), "*", "x"), "-.") // two daemons, two templates
	}
	return Template{
		Name: name, Pattern: index.Wildcard(), mapping: documentProperties,
		settings: object{"index": object{"mapping": object{"ignore_malformed": true}}},
	}
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
func documentProperties(known types) object {
	root := object{}
	for _, f := range ecs.Fields() {
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
