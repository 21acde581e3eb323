package history

import (
	"strings"
	"time"
)

// An Event is what a list or a summary shows of a record. Every text is as the record has it and may be an attacker's:
// whoever shows it makes it inert. Absent parts are empty.
type Event struct {
	ID        string // the eventID, or a hash where the record has none
	RequestID string
	SharedID  string    // the same in the records that several accounts have of one call
	Time      time.Time // when the call completed, UTC; zero when the record does not say
	Name      string    // eventName
	Type      string    // eventType: AwsApiCall, AwsConsoleSignIn, …
	Category  string    // eventCategory: Management, Data, …
	Source    string    // eventSource
	User      string    // as AWS's console shows it: root, a user's name, a session's name, or a service's
	Identity  string    // userIdentity.type
	ARN       string    // userIdentity.arn
	Role      string    // the name of the role that a session is of
	RoleARN   string    // the ARN of that role, or of the user that a session is of
	InvokedBy string    // the service that called on the user's behalf
	Session   string    // the same for all events of one session, else empty
	AccessKey string
	Account   string // whose event it is: recipientAccountId
	Region    string
	SourceIP  string // an address, or the name of a service
	UserAgent string
	ReadOnly  bool   // false when the record does not say
	MFA       string // "true" or "false" as the record says it; empty when it does not
	Console   bool   // made with the credentials of a console session
	Service   bool   // made by AWS itself, or on the user's behalf
	Outcome   Outcome
	// Reason says why a call failed: the error's code and message. For a failed console login without them, "Failure".
	ErrorCode, Reason string
	Resources         []Resource
	Issued            []string // access keys and the session that the call has made; see the attribute Issued
	Traits            []string // what a closer look has found; see the attribute TraitIs
	Tags              []Tag    // of the user and the role, where the store has them

	// Record is byte for byte what was read; nil unless it was asked for. Where Derived is set the store has not kept it, and
	// Record is put together from what it has: members that it does not know are missing, and their order is not the record's.
	Record  []byte
	Derived bool
}

// Actor is who has habits: the ARN of the user or the role behind the event, whatever its sessions are called. A role of IAM
// Identity Center is many people's; there it is the session, which is named for one of them.
func (e *Event) Actor() string {
	if e.RoleARN != "" && !strings.Contains(e.RoleARN, "/AWSReservedSSO_") {
		return e.RoleARN
	}
	return firstOf(e.ARN, e.RoleARN, e.User)
}

// A Resource is something the event is about. Type is one of AWS's (AWS::S3::Bucket), empty when it is unknown. Name is a
// name, an id or an ARN.
type Resource struct{ Type, Name string }

// ARN is the resource's name when it is an ARN, else empty.
func (r Resource) ARN() string {
	if isARN(r.Name) {
		return r.Name
	}
	return ""
}

// A Tag is an IAM tag of the user or the role behind an event. Of is "user" or "role".
type Tag struct{ Of, Key, Value string }

// Outcome says how a call ended.
type Outcome uint8

// The outcomes. A Denied call is a failed one, too: the caller lacked permission.
const (
	Success Outcome = iota
	Failure
	Denied
)

// String is the word that a filter by outcome takes.
func (o Outcome) String() string {
	switch o {
	case Success:
		return "success"
	case Denied:
		return "denied"
	}
	return "failure"
}
