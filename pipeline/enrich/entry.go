package enrich

import (
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/trailship/trailship/pipeline/ecs"
)

// answer is what IAM says of a principal. A principal that is not there has no path.
type answer struct {
	Path string            `json:"path,omitempty"`
	Tags map[string]string `json:"tags,omitempty"`
}

func (a *answer) missing() bool { return a.Path == "" }

// entry is what the cache keeps of a principal: the answer, and the fragments that it becomes.
type entry struct {
	proof uint64       // tells the principal from any other of the same key
	stale atomic.Int64 // Unix nanoseconds from which it is asked for again

	iam, user, org, labels []byte

	principal principal
	answer    answer
	loaded    time.Time
}

// propagation is how long IAM may go on with the old answer behind a change. Source: AWS IAM User Guide, "Troubleshoot IAM",
// changes that are not always immediately visible.
const propagation = time.Minute

// knows reports whether the answer came so late that a change of that time is in it.
func (e *entry) knows(at time.Time) bool { return !at.IsZero() && e.loaded.After(at.Add(propagation)) }

// splice adds the entry to a document.
func (e *entry) splice(f *ecs.Fragments) {
	f.IAM, f.User, f.OrgName = e.iam, e.user, e.org
	if len(e.labels) > 0 {
		f.Labels = e.labels
	}
}

// writer makes entries of answers.
type writer struct {
	keys          keyRule
	fields        map[string]string // by tag key
	ttl, negative time.Duration
}

func newWriter(c TagsConfig) writer {
	return writer{keys: newKeyRule(c), fields: c.Map, ttl: c.TTL, negative: c.NegativeTTL}
}

// entry renders an answer of the time at. Tags whose keys are not kept are forgotten here.
func (w writer) entry(p principal, a answer, at time.Time) *entry {
	e := &entry{principal: p, answer: answer{Path: a.Path}, loaded: at}
	ttl := w.ttl
	if a.missing() {
		ttl = w.negative
	}
	e.stale.Store(at.Add(ttl).UnixNano())
	for key, value := range a.Tags {
		if !w.keys.keeps(key) {
			continue
		}
		if e.answer.Tags == nil {
			e.answer.Tags = map[string]string{}
		}
		e.answer.Tags[key] = value
	}
	if !a.missing() {
		e.iam = appendIAM(nil, p.kind, e.answer)
		w.project(e)
	}
	return e
}

// appendIAM appends "user": or "role":{"path":…,"tags":{…},"tag":[…]},.
func appendIAM(dst []byte, k kind, a answer) []byte {
	dst = append(append(append(dst, '"'), k.String()...), `":{`...)
	dst = appendMember(dst, "path", a.Path)
	keys := slices.Sorted(maps.Keys(a.Tags))
	if len(keys) > 0 {
		dst = append(dst, `"tags":{`...)
		for _, key := range keys {
			dst = append(ecs.AppendString(dst, safeKey(key)), ':')
			dst = append(ecs.AppendString(dst, a.Tags[key]), ',')
		}
		dst[len(dst)-1] = '}'
		dst = append(dst, `,"tag":[`...)
		for _, key := range keys {
			dst = append(ecs.AppendString(dst, key+"="+a.Tags[key]), ',')
		}
		dst[len(dst)-1] = ']'
		dst = append(dst, ',')
	}
	dst[len(dst)-1] = '}'
	return append(dst, ',')
}

// safeKey is a tag's key as a member of a flattened object: a dot inside is part of a path and good, but a cluster refuses
// an empty part of one. The list of tags beside it has the key itself.
func safeKey(key string) string {
	if strings.HasPrefix(key, ".") || strings.HasSuffix(key, ".") || strings.Contains(key, "..") || strings.TrimSpace(key) == "" {
		key = strings.NewReplacer(".", "_", " ", "_").Replace(key)
	}
	return key
}

// project copies tags to the fields that the user mapped them to.
func (w writer) project(e *entry) {
	var group []byte
	for _, key := range slices.Sorted(maps.Keys(w.fields)) {
		text, ok := e.answer.Tags[key]
		if !ok || text == "" {
			continue
		}
		field := w.fields[key]
		switch parent, name := field[:strings.LastIndexByte(field, '.')], field[strings.LastIndexByte(field, '.')+1:]; parent {
		case "user":
			e.user = appendMember(e.user, name, text)
		case "user.group":
			group = appendMember(group, name, text)
		case "organization":
			e.org = appendMember(e.org, name, text)
		default:
			e.labels = appendMember(e.labels, name, text)
		}
	}
	if len(group) > 0 {
		e.user = append(append(append(e.user, `"group":{`...), group[:len(group)-1]...), `},`...)
	}
}
