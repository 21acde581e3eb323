package local

import (
	"time"
)

// An Event is what a list or a summary shows of a record. Every text is as the record has it and may be an attacker's:
// whoever shows it makes it inert. Absent parts are empty.
type Event struct {
	ID        string // the eventID, or a hash where the record has none
	RequestID string
	Time      time.Time // when the call completed, UTC; zero when the record does not say
	Name      string    // eventName
	Type      string    // eventType: AwsApiCall, AwsConsoleSignIn, …
	Source    string    // eventSource
	User      string    // as AWS's console shows it: root, a user's name, a session's name, or a service's
	Identity  string    // userIdentity.type
	Role      string    // the name of the role that a session is of
	InvokedBy string    // the service that called on the user's behalf
	Session   string    // the same for all events of one session, else empty
	AccessKey string
	Account   string // whose event it is: recipientAccountId
	Region    string
	SourceIP  string // an address, or the name of a service
	UserAgent string
	ReadOnly  bool // false when the record does not say
	Outcome   Outcome
	// Reason says why a call failed: the error's code and message. For a failed console login without them, "Failure".
	ErrorCode, Reason string
	Resources         []Resource
	Record            []byte // byte for byte as it was read; nil unless it was asked for
}

// A Resource is something the event is about. Type is one of AWS's (AWS::S3::Bucket), empty when it is unknown.
type Resource struct{ Type, Name string }

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
