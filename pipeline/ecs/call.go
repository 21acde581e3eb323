package ecs

import (
	"bytes"
	"hash/maphash"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// A call is an action of a service with all that follows from these two alone. A log holds few of them again and again, so
// an Encoder remembers what it made of each instead of asking the tables for every record.
type call struct {
	key    []byte // what it is known by: the JSON of eventSource, then that of eventName
	source int    // how much of key is eventSource

	special  special
	rules    *rules // nil: none
	targets  []string
	request  keySet // keys of the request that some field asks for
	response keySet

	// Members of the document.
	event []byte // event.action, event.category, event.type and event.provider
	cloud []byte // cloud.service
}

// special is a call that some rule of the mapping asks for.
type special uint8

const (
	usualCall special = iota
	consoleLogin
	userAuthentication
	assumeRole
	getCallerIdentity
	sendCommand
)

func specialOf(service, action []byte) special {
	switch string(action) {
	case "ConsoleLogin":
		return consoleLogin
	case "UserAuthentication":
		return userAuthentication
	case "AssumeRole":
		if string(service) == "sts" {
			return assumeRole
		}
	case "GetCallerIdentity":
		if string(service) == "sts" {
			return getCallerIdentity
		}
	case "SendCommand":
		if string(service) == "ssm" {
			return sendCommand
		}
	}
	return usualCall
}

const (
	knownCalls = 1024
	longCall   = 512 // bytes of JSON from which a call is not remembered
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
	e.call = &e.calls.other
	if by, what := source.Raw(), name.Raw(); len(by)+len(what) < longCall {
		place := maphash.Bytes(e.calls.seed, by) + 3*maphash.Bytes(e.calls.seed, what)
		for i := range uint64(4) { // so many may have the same place in mind
			c := &e.calls.known[(place+i)%knownCalls]
			if *c == nil {
				*c = &call{}
			}
			if e.call = *c; e.call.is(by, what) {
				return
			}
			if e.call.event == nil {
				break
			}
		}
	}
	e.call.fill(e, source, name)
}

// is reports whether this is the call known by the two. The zero call is that of a record that says neither.
func (c *call) is(source, name []byte) bool {
	return c.event != nil && c.source == len(source) &&
		bytes.Equal(c.key[c.source:], name) && bytes.Equal(c.key[:c.source], source)
}

// fill makes c the call of the two.
func (c *call) fill(e *Encoder, source, name cloudtrail.Value) {
	action := name.Text()
	service, ok := bytes.CutSuffix(source.Text(), []byte(amazon))
	if !ok {
		service = nil
	}
	service, _, _ = bytes.Cut(service, []byte(amazon))
	*c = call{
		key: append(append(c.key[:0], source.Raw()...), name.Raw()...), source: len(source.Raw()),
		special: specialOf(service, action), targets: c.targets[:0], cloud: c.cloud[:0],
		event: append(e.put(c.event[:0], `"action":`, name), category(action)...),
	}
	c.event = e.put(c.event, `"provider":`, source)
	if len(service) > 0 {
		c.cloud = append(c.cloud, `"service":{"name":`...)
		c.cloud = appendItem(c.cloud, item{text: service, plain: source.Plain()})
		c.cloud = append(c.cloud, "},"...)
	}
	c.request, c.response = requestKeys(), responseKeys()
	if name.Exists() {
		c.rules = rulesOf(service)
	}
	if c.rules == nil {
		return
	}
	for i := range c.rules.targets {
		if t := &c.rules.targets[i]; t.is(action) {
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
