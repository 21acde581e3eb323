package history

import (
	"bytes"
	"slices"
	"strings"

	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
)

// maxResources is how many resources of one event are found, among how many values: a single call can name thousands of
// instances, and each is compared with the others.
const (
	maxResources = 1000
	maxValues    = 20_000
)

// resources gathers what an event is about. AWS derives the resources of its Event history from request and response,
// and few records have a list of their own; so the same is done here.
type resources struct {
	service string // the eventSource's first part
	event   string
	listed  []Resource
	names   []string // what else the event is found by
	values  int      // looked at so far
}

// readResources finds an event's resources: those the record lists, those which its request, response and details name, and
// the one that an error message says was denied. names are all that a filter by resource name matches: the listed names, the
// last part of each ARN, and references of no known type.
func readResources(r *cloudtrail.Record) (listed []Resource, names []string) {
	s := resources{event: text(r.Field(cloudtrail.EventName))}
	s.service, _, _ = strings.Cut(text(r.Field(cloudtrail.EventSource)), ".")
	s.readList(r.Field(cloudtrail.Resources))
	s.walk(r.Field(cloudtrail.RequestParameters), "")
	s.walk(r.Field(cloudtrail.ResponseElements), "")
	s.walk(r.Field(cloudtrail.AdditionalEventData), "")
	s.walk(r.Field(cloudtrail.ServiceEventDetails), "")
	ecs.References(r, func(key string, text []byte) { s.found(key, text, true) })
	s.readMessage(r.Field(cloudtrail.ErrorMessage).Text())
	for _, x := range s.listed {
		s.name(x.Name)
		if isARN(x.Name) {
			s.name(lastPart(x.Name))
		}
	}
	return s.listed, s.names
}

// readList takes in the record's own resources. Elements are objects with ARN, ARNPrefix or arn; a bare string was seen.
func (s *resources) readList(v cloudtrail.Value) {
	if v.Kind() == cloudtrail.KindObject {
		s.readElement(v)
		return
	}
	for m := v.First(); m.Exists(); m = m.Next() {
		s.readElement(m)
	}
}

func (s *resources) readElement(v cloudtrail.Value) {
	if v.Kind() == cloudtrail.KindString {
		s.list(typeOfARN(text(v)), text(v))
		return
	}
	name := firstOf(text(v.Get("ARN")), text(v.Get("arn")), text(v.Get("ARNPrefix")))
	s.list(firstOf(text(v.Get("type")), typeOfARN(name)), name)
}

// walk looks at every string below v. key is the nearest member's.
func (s *resources) walk(v cloudtrail.Value, key string) {
	switch v.Kind() {
	case cloudtrail.KindString, cloudtrail.KindNumber:
		s.found(key, v.Bytes(), false)
	case cloudtrail.KindObject:
		for m := v.First(); m.Exists(); m = m.Next() {
			s.walk(m, string(m.Key()))
		}
	case cloudtrail.KindArray:
		for m := v.First(); m.Exists(); m = m.Next() {
			s.walk(m, key)
		}
	}
}

// found takes in a value of the request or the response. It is a resource when it is an ARN or its key or its first
// letters tell its type; a known reference of no type can be searched for and is not shown.
func (s *resources) found(key string, value []byte, reference bool) {
	s.values++
	typ := typeOfMember(s.service, key)
	if typ == "" && s.service == "ssm" && strings.HasPrefix(key, "name") { // every kind of thing has a name there
		typ = typeOfSSM(s.event)
	}
	switch {
	case len(value) == 0 || s.values > maxValues:
	case key == "MFAIdentifier": // what the caller had in hand
		s.name(string(value))
	case isARN(value):
		s.list(typeOfARN(string(value)), string(value))
	case typ != "":
		s.list(typ, string(value))
	case (reference || isIDKey(key)) && typeOfID(value) != "":
		s.list(typeOfID(value), string(value))
	case reference:
		s.name(string(value))
	}
}

// readMessage finds the resource that a denial names: the request is mostly absent then.
func (s *resources) readMessage(message []byte) {
	_, rest, ok := bytes.Cut(message, []byte("on resource: "))
	if !ok {
		return
	}
	arn, _, _ := bytes.Cut(rest, []byte(" "))
	if arn = bytes.Trim(arn, `"'.,;`); isARN(arn) {
		s.list(typeOfARN(string(arn)), string(arn))
	}
}

// list adds a resource; a name that is there already may gain its type.
func (s *resources) list(typ, name string) {
	if name == "" || len(s.listed) >= maxResources {
		return
	}
	for i := range s.listed {
		if x := &s.listed[i]; x.Name == name && (x.Type == typ || x.Type == "" || typ == "") {
			x.Type = firstOf(x.Type, typ)
			return
		}
	}
	s.listed = append(s.listed, Resource{Type: typ, Name: name})
}

func (s *resources) name(name string) {
	if name != "" && len(s.names) < 2*maxResources && !slices.Contains(s.names, name) {
		s.names = append(s.names, name)
	}
}

// isIDKey reports whether a member with this key holds ids: an id's first letters alone may begin any text.
func isIDKey(key string) bool {
	return strings.HasSuffix(key, "Id") || strings.HasSuffix(key, "Ids") || strings.HasSuffix(key, "ID") ||
		strings.HasSuffix(key, "id")
}

// isARN reports whether the whole text is an ARN: arn:partition:service:region:account:resource. ARNs in the middle of a
// policy's text do not count.
func isARN[T string | []byte](s T) bool {
	if len(s) < len("arn:a:s:::r") || string(s[:4]) != "arn:" {
		return false
	}
	colons := 0
	for i := range len(s) {
		switch {
		case s[i] == ':':
			colons++
		case s[i] <= ' ' && colons < 5: // a key in a bucket may hold spaces
			return false
		}
	}
	return colons >= 5
}

// lastPart is what follows the last slash or colon of an ARN.
func lastPart(arn string) string { return arn[strings.LastIndexAny(arn, ":/")+1:] }
