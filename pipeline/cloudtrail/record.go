package cloudtrail

import "hash/maphash"

// A Record is one CloudTrail record as views into the bytes it was read from. Nothing is copied: a Record, every
// Value of it and every slice they return are good until the Reader that gave it reads on (or until Parse is called
// on it again). A Record is not safe for concurrent use.
//
// A value that is null, "", "-", "none", {} or [], or holds nothing but such values, is *void*. Readers of a record
// see void values as absent: Elastic's integration prunes them before it maps anything. Source: MAPPING section 1.
type Record struct {
	Raw    []byte  // the record's exact bytes, without room behind them: who copies more than a value stays inside
	Object *Object // the log object it came from; never nil for a record of a Reader
	Number int     // position in the object, from 1, refused records counted
	Offset int64   // where Raw begins in the decompressed object
	ID     string  // the _id of its document where that is known already; "" for a record of a Reader

	nodes     []node
	fields    [fieldCount]int32
	follows   [fieldCount]Field // which field came behind each the last time: AWS writes them in one order
	respelled bool              // some field was seen twice
	depth     int
	outer     []frame         // those of the containers around the one being read
	keys      []int32         // see keyTable
	firsts    map[int32]int32 // of the nodes with flagAgain, the first with their key
	seed      maphash.Seed
	marks     *marks // of the text that Parse was given
	text      []byte // unescaped strings, see Value.Bytes
}

// Field names a top-level field of a record. Source: AWS CloudTrail User Guide, "CloudTrail record contents".
type Field uint8

// The fields of a record, in the order of AWS's page, then those of aggregated events.
const (
	Unknown Field = iota // any other top-level key
	EventVersion
	UserIdentity
	EventTime
	EventSource
	EventName
	AWSRegion
	SourceIPAddress
	UserAgent
	ErrorCode
	ErrorMessage
	RequestParameters
	ResponseElements
	AdditionalEventData
	RequestID
	EventID
	EventType
	APIVersion
	ManagementEvent
	ReadOnly
	Resources
	RecipientAccountID
	ServiceEventDetails
	SharedEventID
	VPCEndpointID
	VPCEndpointAccountID
	EventCategory
	Addendum
	SessionCredentialFromConsole
	EdgeDeviceDetails
	TLSDetails
	InsightDetails
	EventContext
	SourceIdentity
	Annotation
	TimeWindow
	Summary
	AccountID
	Records
	fieldCount
)

// Field returns the value of a top-level field, absent when the record does not have it or it is void.
// Where a key stands twice, the last one counts, as in encoding/json.
func (r *Record) Field(f Field) Value {
	i := r.fields[f]
	if i == 0 || r.nodes[i].flags&(flagVoid|flagShadowed) != 0 {
		return Value{}
	}
	return Value{rec: r, at: i}
}

// HasAny reports whether the record has one of the fields, void ones included.
func (r *Record) HasAny(fields []Field) bool {
	node := int32(0)
	for _, f := range fields {
		node |= r.fields[f]
	}
	return node != 0
}

// shrink gives memory back that only a huge record needs.
func (r *Record) shrink() {
	const (
		nodes = 4 << 10
		text  = 64 << 10
	)
	if cap(r.nodes) > nodes {
		r.nodes, r.keys, r.firsts = nil, nil, nil
	}
	if cap(r.text) > text {
		r.text = nil
	}
}

// Root returns the record itself as a value: absent only for a Record that holds nothing, or nothing but void values.
func (r *Record) Root() Value {
	if len(r.nodes) == 0 || r.nodes[0].flags&flagVoid != 0 {
		return Value{}
	}
	return Value{rec: r, at: 0}
}

// HasUnknown reports whether the record has top-level keys that no Field names, void ones included.
func (r *Record) HasUnknown() bool { return r.fields[Unknown] != 0 }

// respell settles fields that stand under both of their spellings: the usual one counts unless it is void.
func (r *Record) respell() {
	for m := r.Root().First(); m.Exists(); m = m.Next() {
		switch string(m.Key()) {
		case "eventID", "recipientAccountId", "sharedEventID":
			r.fields[FieldOf(m.Key())] = m.at
		case "eventId", "recipientAccountID", "sharedEventId":
			if usual := r.Field(FieldOf(m.Key())); !usual.Exists() {
				r.fields[FieldOf(m.Key())] = m.at
			} else if usual != m {
				r.fields[Unknown] = m.at
			}
		}
	}
}

// FieldOf tells which field a top-level key names, Unknown for a key that none names. AWS writes a few of them in two
// spellings.
func FieldOf(key []byte) Field { //nolint:funlen // a table
	switch string(key) { // the compiler turns this into a binary search by length and bytes; nothing is allocated
	case "eventVersion":
		return EventVersion
	case "userIdentity":
		return UserIdentity
	case "eventTime":
		return EventTime
	case "eventSource":
		return EventSource
	case "eventName":
		return EventName
	case "awsRegion":
		return AWSRegion
	case "sourceIPAddress":
		return SourceIPAddress
	case "userAgent":
		return UserAgent
	case "errorCode":
		return ErrorCode
	case "errorMessage":
		return ErrorMessage
	case "requestParameters":
		return RequestParameters
	case "responseElements":
		return ResponseElements
	case "additionalEventData":
		return AdditionalEventData
	case "requestID":
		return RequestID
	case "eventID", "eventId": // eventId: aggregated events
		return EventID
	case "eventType":
		return EventType
	case "apiVersion":
		return APIVersion
	case "managementEvent":
		return ManagementEvent
	case "readOnly":
		return ReadOnly
	case "resources":
		return Resources
	case "recipientAccountId", "recipientAccountID":
		return RecipientAccountID
	case "serviceEventDetails":
		return ServiceEventDetails
	case "sharedEventID", "sharedEventId":
		return SharedEventID
	case "vpcEndpointId":
		return VPCEndpointID
	case "vpcEndpointAccountId":
		return VPCEndpointAccountID
	case "eventCategory":
		return EventCategory
	case "addendum":
		return Addendum
	case "sessionCredentialFromConsole":
		return SessionCredentialFromConsole
	case "edgeDeviceDetails":
		return EdgeDeviceDetails
	case "tlsDetails":
		return TLSDetails
	case "insightDetails":
		return InsightDetails
	case "eventContext":
		return EventContext
	case "sourceIdentity":
		return SourceIdentity
	case "annotation":
		return Annotation
	case "timeWindow":
		return TimeWindow
	case "summary":
		return Summary
	case "accountId":
		return AccountID
	case "Records":
		return Records
	}
	return Unknown
}
