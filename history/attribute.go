package history

// Attribute is what a Filter looks at. Its text is its name in the page's address.
type Attribute string

// The attributes. The first eight are those of AWS's LookupEvents.
const (
	EventName    Attribute = "eventName"
	User         Attribute = "user" // user, role or session name, e-mail address, ARN or principal id
	ResourceName Attribute = "resourceName"
	ResourceType Attribute = "resourceType"
	EventSource  Attribute = "eventSource"
	AccessKey    Attribute = "accessKey"
	EventID      Attribute = "eventId"
	ReadOnly     Attribute = "readOnly" // "true"; "false" is what writes, and what does not say
	OutcomeIs    Attribute = "outcome"  // "success", "failure" or "denied", which is a failure, too
	Account      Attribute = "account"
	Region       Attribute = "region"
	SourceIP     Attribute = "sourceIp"
	ErrorCode    Attribute = "errorCode"
	Identity     Attribute = "identity" // userIdentity.type
	Session      Attribute = "session"  // an Event's Session
	UserAgent    Attribute = "userAgent"
	MFA          Attribute = "mfa"     // "true" or "false"; an event that does not say is neither
	Console      Attribute = "console" // "true": with the credentials of a console session
	Service      Attribute = "service" // "true": made by AWS itself, or on the user's behalf
	EventType    Attribute = "eventType"
	Category     Attribute = "category" // eventCategory
	RequestID    Attribute = "requestId"
	SharedID     Attribute = "sharedEventId"
	InvokedBy    Attribute = "invokedBy"
	// Issued finds the call that has made credentials: by their access key, or by the Session that began with them. So the
	// one who assumed an event's session is behind Issued: event.AccessKey or event.Session.
	Issued Attribute = "issued"
	// TraitIs is what a closer look at a record finds: one of the Traits.
	TraitIs Attribute = "trait"
	// First passes the first event of its kind in the store: "call" when its user had not made the call before, "address"
	// when they had not come from the address, "region" when they had not been in the region.
	First Attribute = "first"
	// LeafValue is a whole value anywhere in the request's parameters, the response, the additional data or the service's
	// details: a string, or a number, true or false as it is written. It takes no *.
	LeafValue Attribute = "value"
)

// Attributes are all attributes, in the order that lists of them have.
func Attributes() []Attribute {
	return []Attribute{
		EventName, User, ResourceName, ResourceType, EventSource, AccessKey, EventID, ReadOnly, OutcomeIs, Account, Region,
		SourceIP, ErrorCode, Identity, Session, UserAgent, MFA, Console, Service, EventType, Category, RequestID, SharedID,
		InvokedBy, Issued, TraitIs, First, LeafValue,
	}
}

// Counted reports whether a Search counts the values of an attribute: not those that nearly every event has of its own.
func Counted(a Attribute) bool { return a != EventID && a != First && a != LeafValue }

// The traits of events.
const (
	TraitOpen         = "open-to-all"   // a security group's rule lets every address in or out
	TraitShared       = "shared"        // a snapshot, image, bucket or function was given to others
	TraitAdmin        = "administrator" // an administrator's policy was attached
	TraitCrossAccount = "cross-account" // the caller, or a resource, is of another account than the one called
)

// Words are the values that an attribute can have when they are a few fixed ones, nil when they are any.
func Words(a Attribute) []string {
	switch a {
	case ReadOnly, MFA, Console, Service:
		return []string{"true", "false"}
	case OutcomeIs:
		return []string{"success", "failure", "denied"}
	case TraitIs:
		return []string{TraitOpen, TraitShared, TraitAdmin, TraitCrossAccount}
	case First:
		return []string{"call", "address", "region"}
	}
	return nil
}
