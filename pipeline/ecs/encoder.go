package ecs

import (
	"hash/maphash"
	"strconv"
	"strings"
	"time"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

const (
	version = "8.11.0"
	dataset = "aws.cloudtrail"

	// Every document begins with the time of indexing, at a fixed place and of a fixed width, see Stamp.
	beginning = `{"event":{"ingested":"`
	unstamped = "1970-01-01T00:00:00.000Z"
)

// An Encoder writes records as documents. It is reused for many records and keeps its scratch space, so that a document
// costs no allocation once that has grown. One goroutine uses an Encoder at a time.
//
// Up to 48 bytes behind the slices that Append and AppendDegraded return, within their capacity, may have been overwritten:
// nothing else may stand there.
type Encoder struct {
	cfg Config

	// Fragments that are the same for all records of one object. head is the document's beginning up to event.created,
	// origin what says where the record comes from; log.offset follows the latter.
	object       *cloudtrail.Object
	nowhere      *cloudtrail.Object // stands for none
	seen         cloudtrail.Object  // object as it was when the fragments were made
	head, origin []byte
	bucket       []byte // aws.s3

	fragments    Fragments // of the next document
	labels, tags []byte    // the configuration's own

	text    texter
	calls   calls
	maxPath int // of members of flattened objects, in bytes

	// The rest is about the record in hand.
	rec      *cloudtrail.Record
	degraded bool
	errors   []string
	why      string
	others   fieldSet // fields that go to flattened.other
	digest   bool
	time     moment // @timestamp

	call       *call
	source     item
	sourceIsIP bool
	account    cloudtrail.Value // cloud.account.id
	who        identity
	params     params
	tls        tls
	free       [freeForms]freeForm
	resources  []resource
	actor      item

	entities, targets, users, hosts []item
}

// fieldSet is a set of the fields of a record.
type fieldSet uint64

func (s fieldSet) has(f cloudtrail.Field) bool { return s>>f&1 != 0 }

func (s *fieldSet) add(f cloudtrail.Field) { *s |= 1 << f }

// NewEncoder makes an encoder. cfg is valid.
func NewEncoder(cfg Config) *Encoder {
	if cfg.Retain == "" {
		cfg.Retain = RetainAll
	}
	if cfg.Namespace == "" {
		cfg.Namespace = "default"
	}
	e := &Encoder{cfg: cfg, nowhere: &cloudtrail.Object{}, maxPath: maxPath}
	e.calls.seed = maphash.MakeSeed()
	if cfg.LeafLimit > 0 {
		e.maxPath = min(maxPath, cfg.LeafLimit-1)
	}
	e.labels, e.tags = cfg.labels(), cfg.tags()
	e.setObject(e.nowhere)
	return e
}

// Fragments are what enrichers have to say about the next document. Append and AppendDegraded use them up.
func (e *Encoder) Fragments() *Fragments { return &e.fragments }

// Append appends the document of r to dst: one JSON object on one line, without a line end. It cannot fail: what a field
// would refuse is left out and said in error.message. r is good to use until then as its reader says.
func (e *Encoder) Append(dst []byte, r *cloudtrail.Record) []byte {
	e.degraded, e.why = false, ""
	return e.encode(dst, r)
}

// AppendDegraded appends a document of r that any mapping of Fields takes: the free-form objects only as strings, and why
// in error.message. It is for a document that a cluster has refused.
func (e *Encoder) AppendDegraded(dst []byte, r *cloudtrail.Record, why string) []byte {
	e.degraded, e.why = true, strings.ToValidUTF8(why, "\uFFFD")
	return e.encode(dst, r)
}

// Stamp writes at, to the millisecond, as event.ingested into a document made by an Encoder, in place.
func (e *Encoder) Stamp(doc []byte, at time.Time) {
	if len(doc) >= len(beginning)+timeSize {
		appendTime(doc[len(beginning):len(beginning)], at)
	}
}

func (e *Encoder) encode(dst []byte, r *cloudtrail.Record) []byte {
	e.read(r)
	dst = e.putEvent(dst)
	dst = putMoment(dst, `"@timestamp":`, &e.time)
	dst = append(dst, e.origin...)
	if e.object.Key != "" {
		dst = strconv.AppendInt(dst, r.Offset, 10)
		dst = append(dst, "},"...)
	}
	dst = e.putTags(dst)
	dst = e.putErrors(dst)
	dst = e.putCloud(dst)
	dst = e.putSource(dst)
	dst = e.putUserAgent(dst)
	dst = e.putUser(dst)
	dst = e.putGroup(dst)
	dst = e.putTLS(dst)
	dst = e.putFile(dst)
	dst = e.putEntities(dst)
	dst = e.putRelated(dst)
	mark := len(dst)
	dst = append(dst, `"aws":{`...)
	dst = append(dst, e.bucket...)
	dst = putMembers(dst, `"iam":{`, nil, e.fragments.IAM)
	dst = e.putCloudTrail(dst)
	dst = end(dst, mark, '}')
	dst = putMembers(dst, `"organization":{`, e.fragments.Organization, e.fragments.OrgName)
	dst = putMembers(dst, `"labels":{`, e.labels, e.fragments.Labels)
	dst = append(dst, e.fragments.Root...)
	e.fragments = Fragments{}
	dst[len(dst)-1] = '}' // the document's own
	return dst
}

// setObject makes the fragments for the records of an object.
func (e *Encoder) setObject(o *cloudtrail.Object) {
	e.object, e.seen = o, *o
	e.head = append(e.head[:0], beginning+unstamped+`",`...)
	if !o.Read.IsZero() {
		e.head = putTime(e.head, `"created":`, o.Read)
	}
	e.head = append(e.head, `"module":"aws","dataset":"`+dataset+`",`...)
	e.origin = append(e.origin[:0], `"ecs":{"version":"`+version+`"},"data_stream":{"type":"logs","dataset":"`+dataset+`","namespace":`...)
	e.origin = appendQuoted(e.origin, validText(e.cfg.Namespace))
	e.origin = append(e.origin, `},"input":{"type":"aws-s3"},`...)
	e.bucket = e.bucket[:0]
	if o.Key == "" {
		return
	}
	e.origin = append(e.origin, `"log":{"file":{"path":`...)
	e.origin = appendQuoted(e.origin, validText(path(o)))
	e.origin = append(e.origin, `},"offset":`...)
	if o.Bucket == "" {
		return
	}
	e.bucket = append(e.bucket, `"s3":{"bucket":{"name":`...)
	e.bucket = appendQuoted(e.bucket, validText(o.Bucket))
	e.bucket = append(e.bucket, `,"arn":`...)
	e.bucket = appendQuoted(e.bucket, validText("arn:"+partition(o.Region)+":s3:::"+o.Bucket))
	e.bucket = append(e.bucket, `},"object":{"key":`...)
	e.bucket = appendQuoted(e.bucket, validText(o.Key))
	e.bucket = append(e.bucket, "}},"...)
}

// sameObject reports whether the fragments are those of o.
func (e *Encoder) sameObject(o *cloudtrail.Object) bool {
	return e.object == o && e.seen.Key == o.Key && e.seen.Bucket == o.Bucket && e.seen.Region == o.Region &&
		e.seen.Read.Equal(o.Read)
}

func validText(s string) []byte { return []byte(strings.ToValidUTF8(s, "\uFFFD")) }

// path is an object's URL, or a file's path.
func path(o *cloudtrail.Object) string {
	if o.Bucket == "" {
		return o.Key
	}
	host := o.Bucket + ".s3."
	if o.Region != "" {
		host += o.Region + "."
	}
	host += "amazonaws.com"
	if partition(o.Region) == "aws-cn" {
		host += ".cn"
	}
	return "https://" + host + "/" + o.Key
}

func partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}
