package ecs

import (
	"strings"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// rawKind is how a member of a raw document is mapped.
type rawKind uint8

const (
	rawOther  rawKind = iota // not at all: kept, not searched
	rawWord                  // keyword
	rawFlat                  // flattened
	rawList                  // flattened, a list of objects
	rawObject                // an object, see rawMember
)

// rawKindOf is the kind of a top-level member.
func rawKindOf(key []byte) rawKind {
	switch cloudtrail.FieldOf(key) {
	case cloudtrail.UserIdentity, cloudtrail.AdditionalEventData:
		return rawObject
	case cloudtrail.RequestParameters, cloudtrail.ResponseElements, cloudtrail.ServiceEventDetails, cloudtrail.InsightDetails,
		cloudtrail.EventContext, cloudtrail.EdgeDeviceDetails, cloudtrail.TLSDetails, cloudtrail.Addendum, cloudtrail.TimeWindow,
		cloudtrail.Summary:
		return rawFlat
	case cloudtrail.Resources:
		return rawList
	case cloudtrail.Records:
		return rawOther
	case cloudtrail.Unknown:
		if string(key) != "status" { // which a rule of Sigma's reads
			return rawOther
		}
	}
	return rawWord
}

// rawMember is the kind of a member of a rawObject, by its path from the record on.
func rawMember(path string) rawKind {
	switch path {
	case "userIdentity.sessionContext", "userIdentity.sessionContext.attributes", "userIdentity.sessionContext.sessionIssuer",
		"userIdentity.sessionContext.webIdFederationData", "userIdentity.onBehalfOf", "userIdentity.inScopeOf",
		"userIdentity.invokedByDelegate":
		return rawObject
	case "userIdentity.sessionContext.webIdFederationData.attributes":
		return rawFlat
	}
	return rawWord
}

const rawWords = `eventVersion eventTime eventSource eventName awsRegion sourceIPAddress userAgent errorCode errorMessage requestID eventID
	eventId eventType apiVersion managementEvent readOnly recipientAccountId recipientAccountID sharedEventID sharedEventId
	vpcEndpointId vpcEndpointAccountId eventCategory sessionCredentialFromConsole sourceIdentity annotation accountId status
	userIdentity.type userIdentity.userName userIdentity.principalId userIdentity.arn userIdentity.accountId userIdentity.accessKeyId
	userIdentity.invokedBy userIdentity.credentialId userIdentity.identityProvider userIdentity.invokedByDelegate.accountId
	userIdentity.onBehalfOf.userId userIdentity.onBehalfOf.identityStoreArn userIdentity.inScopeOf.issuerType
	userIdentity.inScopeOf.credentialsIssuedTo userIdentity.inScopeOf.sourceArn userIdentity.inScopeOf.sourceAccount
	userIdentity.sessionContext.attributes.mfaAuthenticated userIdentity.sessionContext.attributes.creationDate
	userIdentity.sessionContext.sessionIssuer.type userIdentity.sessionContext.sessionIssuer.principalId
	userIdentity.sessionContext.sessionIssuer.arn userIdentity.sessionContext.sessionIssuer.accountId
	userIdentity.sessionContext.sessionIssuer.userName userIdentity.sessionContext.ec2RoleDelivery
	userIdentity.sessionContext.sourceIdentity userIdentity.sessionContext.assumedRoot userIdentity.sessionContext.signInSessionArn
	userIdentity.sessionContext.webIdFederationData.federatedProvider
	additionalEventData.MFAUsed additionalEventData.MobileVersion additionalEventData.LoginTo additionalEventData.MFAIdentifier
	additionalEventData.UserName additionalEventData.MfaType additionalEventData.SwitchFrom additionalEventData.SwitchTo
	additionalEventData.RedirectTo additionalEventData.CredentialType additionalEventData.SSEApplied additionalEventData.CipherSuite
	additionalEventData.SignatureVersion additionalEventData.AuthenticationMethod additionalEventData.vpcEndpointId
	additionalEventData.x-amz-id-2 additionalEventData.bytesTransferredIn additionalEventData.bytesTransferredOut`

const rawFlats = `requestParameters responseElements serviceEventDetails insightDetails eventContext edgeDeviceDetails tlsDetails addendum
	resources timeWindow summary userIdentity.sessionContext.webIdFederationData.attributes other`

// RawFields is the mapping of the documents of a Raw. Case does not count in keywords: Sigma's rules do not heed it.
func RawFields() []Field {
	fields := []Field{
		{Name: "@timestamp", Type: Date},
		{Name: "error.message", Type: MatchOnlyText},
		{Name: "event.original", Type: Keyword, Unindexed: true},
	}
	for name := range strings.FieldsSeq(rawWords) {
		fields = append(fields, Field{Name: name, Type: Keyword, IgnoreAbove: longLimit, Folded: true})
	}
	for name := range strings.FieldsSeq(rawFlats) {
		fields = append(fields, Field{Name: name, Type: Flattened, IgnoreAbove: longLimit})
	}
	return fields
}

// RawLeaves are the paths inside of flattened fields of a Raw's documents that rules of Sigma's search by parts of words,
// which Elasticsearch's flattened type cannot. Source: SigmaHQ/sigma, rules/cloud/aws/cloudtrail.
func RawLeaves() []string {
	return []string{
		"requestParameters.attribute", "requestParameters.containerDefinitions.command", "requestParameters.enable",
		"requestParameters.layers", "responseElements.ConsoleLogin", "responseElements.pendingModifiedValues.masterUserPassword",
		"responseElements.publiclyAccessible",
	}
}
