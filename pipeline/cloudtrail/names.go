package cloudtrail

import "encoding/binary"

// names are the fields as CloudTrail writes them, with quotes and colon: what FieldOf tells apart. None is longer than
// longestName.
var names = [fieldCount]string{
	Unknown:                      `"":`, // a key that no field has
	EventVersion:                 `"eventVersion":`,
	UserIdentity:                 `"userIdentity":`,
	EventTime:                    `"eventTime":`,
	EventSource:                  `"eventSource":`,
	EventName:                    `"eventName":`,
	AWSRegion:                    `"awsRegion":`,
	SourceIPAddress:              `"sourceIPAddress":`,
	UserAgent:                    `"userAgent":`,
	ErrorCode:                    `"errorCode":`,
	ErrorMessage:                 `"errorMessage":`,
	RequestParameters:            `"requestParameters":`,
	ResponseElements:             `"responseElements":`,
	AdditionalEventData:          `"additionalEventData":`,
	RequestID:                    `"requestID":`,
	EventID:                      `"eventID":`,
	EventType:                    `"eventType":`,
	APIVersion:                   `"apiVersion":`,
	ManagementEvent:              `"managementEvent":`,
	ReadOnly:                     `"readOnly":`,
	Resources:                    `"resources":`,
	RecipientAccountID:           `"recipientAccountId":`,
	ServiceEventDetails:          `"serviceEventDetails":`,
	SharedEventID:                `"sharedEventID":`,
	VPCEndpointID:                `"vpcEndpointId":`,
	VPCEndpointAccountID:         `"vpcEndpointAccountId":`,
	EventCategory:                `"eventCategory":`,
	Addendum:                     `"addendum":`,
	SessionCredentialFromConsole: `"sessionCredentialFromConsole":`,
	EdgeDeviceDetails:            `"edgeDeviceDetails":`,
	TLSDetails:                   `"tlsDetails":`,
	InsightDetails:               `"insightDetails":`,
	EventContext:                 `"eventContext":`,
	SourceIdentity:               `"sourceIdentity":`,
	Annotation:                   `"annotation":`,
	TimeWindow:                   `"timeWindow":`,
	Summary:                      `"summary":`,
	AccountID:                    `"accountId":`,
	Records:                      `"Records":`,
}

// longestName is one byte less than the words of a spelling: what follows a name is among them.
const longestName = 31

// spelling is a name as words of eight bytes, so that a text is compared with it at once, without a call.
type spelling struct {
	words, masks [4]uint64 // a word's mask leaves out what is behind the name's end
	size         int
}

// spellings are the names, spelled.
var spellings = spell(names)

func spell(names [fieldCount]string) (all [fieldCount]spelling) {
	for f, name := range names {
		s := &all[f]
		s.size = len(name)
		for i := range len(name) {
			s.words[i/8] |= uint64(name[i]) << (i % 8 * 8)
			s.masks[i/8] |= 0xFF << (i % 8 * 8)
		}
	}
	return all
}

// begins reports whether a text of 32 bytes or more begins with the name, and a value right behind it.
func (s *spelling) begins(text []byte) bool {
	t := text[:32]
	return (binary.LittleEndian.Uint64(t)&s.masks[0]^s.words[0])|
		(binary.LittleEndian.Uint64(t[8:])&s.masks[1]^s.words[1])|
		(binary.LittleEndian.Uint64(t[16:])&s.masks[2]^s.words[2])|
		(binary.LittleEndian.Uint64(t[24:])&s.masks[3]^s.words[3]) == 0 && t[s.size&longestName] > ' '
}
