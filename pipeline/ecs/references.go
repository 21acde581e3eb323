package ecs

import (
	"bytes"
	"strings"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// References calls yield with each string and number that names something the record is about, wherever the service of
// the record keeps it, and with the key it stands under. It is for stores that look events up by resource: the same table
// that fills related.entity and target.entity.id, without the caller, the account as a whole and the record's own
// resources. A name may come more than once. text is good as long as the record is. Source: MAPPING section 12.
func References(r *cloudtrail.Record, yield func(key string, text []byte)) {
	host := r.Field(cloudtrail.EventSource).Text()
	service, ok := bytes.CutSuffix(host, []byte(amazon))
	if !ok {
		return
	}
	table := rulesOf(service)
	if table == nil {
		return
	}
	s := references{record: r, yield: yield}
	for _, path := range table.request {
		s.below(r.Field(cloudtrail.RequestParameters), path)
	}
	for _, path := range table.response {
		s.below(r.Field(cloudtrail.ResponseElements), path)
	}
	for _, path := range table.others {
		s.from(path)
	}
	action := r.Field(cloudtrail.EventName).Text()
	for i := range table.targets {
		if !table.targets[i].is(action) {
			continue
		}
		for _, path := range table.targets[i].from {
			s.from(path)
		}
	}
}

// references walks the paths of one record.
type references struct {
	record *cloudtrail.Record
	yield  func(key string, text []byte)
	list   []item
}

// from yields what is at a path that begins with the part of the record it is in.
func (s *references) from(path string) {
	part, rest, _ := strings.Cut(path, ".")
	switch part {
	case "sourceIdentity":
		s.list = add(s.list[:0], s.record.Field(cloudtrail.SourceIdentity))
		s.flush(part)
	case "rp":
		s.below(s.record.Field(cloudtrail.RequestParameters), rest)
	case "re":
		s.below(s.record.Field(cloudtrail.ResponseElements), rest)
	case "aed":
		s.below(s.record.Field(cloudtrail.AdditionalEventData), rest)
	}
}

// below yields what is at a path below v.
func (s *references) below(v cloudtrail.Value, path string) {
	stop := stepEnd(path)
	if v = v.Get(path[:stop]); !v.Exists() {
		return
	}
	s.list = collect(s.list[:0], v, path[stop:])
	s.flush(strings.TrimSuffix(path[strings.LastIndexByte(path, '.')+1:], "[]"))
}

func (s *references) flush(key string) {
	for _, it := range s.list {
		if len(it.text) > 0 {
			s.yield(key, it.text)
		}
	}
}
