package ecs

import (
	"bytes"
	"hash/maphash"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// A call is an action of a service with all that follows from these two alone. A log holds few of them again and again, so
// an Encoder remembers what it made of each instead of asking the tables for every record.
type call struct {
	source, name []byte // what it is known by: the JSON of eventSource and eventName

	action, service []byte // event.action and cloud.service.name, unescaped; nil unless they are strings
	rules           *rules // nil: none
	targets         []string
	request         keySet // keys of the request that some field asks for
	response        keySet
	signIn          bool // ConsoleLogin

	// Members of the document.
	event    []byte // event.action, event.category and event.type
	provider []byte // event.provider
	cloud    []byte // cloud.service
}

const (
	knownCalls = 1024 // a power of two
	longCall   = 512  // bytes of JSON from which a call is not remembered
)

// calls are the calls that an Encoder remembers. A new one takes the place of an older one and its memory.
type calls struct {
	seed  maphash.Seed
	known [knownCalls]*call
	other call // the last that is not to be remembered
}

// readCall finds the record's call, or makes it.
func (e *Encoder) readCall() {
	source, name := e.rec.Field(cloudtrail.EventSource), e.rec.Field(cloudtrail.EventName)
	place := &e.calls.other
	if len(source.Raw())+len(name.Raw()) < longCall {
		i := maphash.Bytes(e.calls.seed, source.Raw()) + 3*maphash.Bytes(e.calls.seed, name.Raw())
		known := &e.calls.known[i%knownCalls]
		if *known == nil {
			*known = &call{}
		} else if bytes.Equal((*known).name, name.Raw()) && bytes.Equal((*known).source, source.Raw()) {
			e.call = *known
			return
		}
		place = *known
	}
	e.call = place
	e.fillCall(place, source, name)
}

func (e *Encoder) fillCall(c *call, source, name cloudtrail.Value) {
	*c = call{
		source: append(c.source[:0], source.Raw()...), name: append(c.name[:0], name.Raw()...),
		action: append(c.action[:0], name.Text()...), service: c.service[:0], targets: c.targets[:0],
		event: c.event[:0], provider: c.provider[:0], cloud: c.cloud[:0], signIn: name.Is("ConsoleLogin"),
	}
	c.event = append(e.put(c.event, `"action":`, name), category(c.action)...)
	c.provider = e.put(c.provider, `"provider":`, source)
	if host := source.Text(); bytes.HasSuffix(host, []byte(amazon)) {
		service, _, _ := bytes.Cut(host, []byte(amazon))
		c.service = append(c.service, service...)
	}
	if len(c.service) > 0 {
		c.cloud = append(c.cloud, `"service":{"name":`...)
		c.cloud = appendItem(c.cloud, item{text: c.service, plain: source.Plain()})
		c.cloud = append(c.cloud, "},"...)
	}
	c.request, c.response = requestKeys(), responseKeys()
	if !name.Exists() {
		return
	}
	if c.rules = rulesOf(c.service); c.rules == nil {
		return
	}
	for i := range c.rules.targets {
		if t := &c.rules.targets[i]; t.is(c.action) {
			c.targets = append(c.targets, t.from...)
		}
	}
	c.request.addPaths(c.rules.request)
	c.response.addPaths(c.rules.response)
}

// keySet tells, for most keys, that a key is none of some: without a look at its bytes but the first.
type keySet uint64

func keyBit(length int, first byte) keySet { return 1 << ((length + int(first)) & 63) }

// may reports whether key can be in the set.
func (s keySet) may(key []byte) bool { return len(key) > 0 && s&keyBit(len(key), key[0]) != 0 }

func (s *keySet) add(keys ...string) {
	for _, key := range keys {
		*s |= keyBit(len(key), key[0])
	}
}

// addPaths adds the keys that paths begin with.
func (s *keySet) addPaths(paths []string) {
	for _, path := range paths {
		s.add(path[:stepEnd(path)])
	}
}
