package ecs_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/trailship/trailship/pipeline/ecs"
)

// TestRandom_reference: encoder and reference agree on records made at random of what the mapping looks at. They are the same
// each time, but in the long form.
func TestRandom_reference(t *testing.T) {
	seed := uint64(1)
	if os.Getenv("TRAILSHIP_TEST_FULL") != "" {
		seed = rand.Uint64()
	}
	t.Logf("seed %d", seed)
	d := newDiffer(ecs.Config{})
	for range 1000 {
		seed++
		d.compare(t, randomRecord(seed))
		if t.Failed() {
			t.Fatalf("the record of seed %d", seed)
		}
	}
}

// FuzzRandom is the same, guided: a record for each seed, at each setting.
func FuzzRandom(f *testing.F) {
	f.Add(uint64(1), byte(0))
	f.Fuzz(func(t *testing.T, seed uint64, setting byte) {
		d := newDiffer(ecs.Config{Retain: retains[int(setting)%len(retains)], KeepOriginal: setting&0x80 != 0})
		for i := range uint64(50) {
			d.compare(t, randomRecord(seed+i<<32))
		}
	})
}

var retains = []ecs.Retain{ecs.RetainAll, ecs.RetainFlattened, ecs.RetainMinimal, ecs.RetainKeyword, ecs.RetainNone}

// branch is an object on its way into a random record.
type branch struct {
	keys []string
	of   map[string]any // string: JSON text; *branch
}

// randomRecord makes a record of some of the paths that the mapping names, with values that matter to it.
func randomRecord(seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 0))
	root := &branch{of: map[string]any{}}
	var service, action string
	paths := slices.Clone(usualPaths)
	if r.IntN(4) > 0 {
		services := make([]string, 0, len(entityTable))
		for name := range entityTable {
			services = append(services, name)
		}
		slices.Sort(services)
		service = services[r.IntN(len(services))]
		rows := strings.Split(entityTable[service][1], "; ")
		names, from, _ := strings.Cut(rows[r.IntN(len(rows))], ": ")
		actions := strings.Fields(names)
		action = strings.TrimPrefix(actions[r.IntN(len(actions))], "~")
		paths = append(paths, longPaths(strings.Fields(from))...)
		paths = append(paths, longPaths(strings.Fields(entityTable[service][0]))...)
	} else {
		rows := strings.Split(strings.TrimSpace(categoryTable), "\n")
		actions := strings.Fields(strings.Split(rows[r.IntN(len(rows))], "|")[2])
		actions = append(actions, "SendCommand", "UserAuthentication", "ConsoleLogin", "ListFunctions20150331")
		action = actions[r.IntN(len(actions))]
		service = []string{"ssm", "signin", "iam", "lambda", "x"}[r.IntN(5)]
	}
	if r.IntN(10) > 0 {
		root.set([]string{"eventSource"}, fmt.Sprintf("%q", service+".amazonaws.com"))
		root.set([]string{"eventName"}, fmt.Sprintf("%q", action))
	}
	for range 3 + r.IntN(25) {
		root.set(strings.Split(paths[r.IntN(len(paths))], "."), randomValue(r, 0))
	}
	return []byte(root.text(r, 0))
}

// longPaths are the table's paths with the full names of the parts of a record.
func longPaths(paths []string) []string {
	var long []string
	for _, path := range paths {
		part, rest, _ := strings.Cut(path, ".")
		name := map[string]string{"rp": "requestParameters.", "re": "responseElements.", "aed": "additionalEventData.", "rec": ""}
		if prefix, ok := name[part]; ok {
			long = append(long, prefix+rest)
		}
	}
	return long
}

func (b *branch) set(path []string, v string) {
	key := path[0]
	if _, ok := b.of[key]; !ok {
		b.keys = append(b.keys, key)
	}
	if len(path) == 1 {
		b.of[key] = v
		return
	}
	next, ok := b.of[key].(*branch)
	if !ok {
		next = &branch{of: map[string]any{}}
		b.of[key] = next
	}
	next.set(path[1:], v)
}

// text writes the branch; members under "*" are elements of an array. Some keys stand twice, some have escapes.
func (b *branch) text(r *rand.Rand, depth int) string {
	var members []string
	isArray := false
	for _, key := range b.keys {
		text, ok := b.of[key].(string)
		if sub, isBranch := b.of[key].(*branch); isBranch {
			text, ok = sub.text(r, depth+1), true
		}
		if !ok {
			continue
		}
		if isArray = isArray || key == "*"; isArray {
			members = append(members, text)
			continue
		}
		name := fmt.Sprintf("%q", key)
		switch r.IntN(40) {
		case 0:
			name = fmt.Sprintf(`"\u%04x%s`, key[0], name[2:])
		case 1:
			members = append(members, name+":"+randomValue(r, depth+1))
		}
		members = append(members, name+space(r)+":"+space(r)+text)
	}
	if isArray {
		return "[" + strings.Join(members, ","+space(r)) + "]"
	}
	return "{" + strings.Join(members, ","+space(r)) + "}"
}

func space(r *rand.Rand) string {
	if r.IntN(20) == 0 {
		return " \n"
	}
	return ""
}

// randomValue is a value that matters to the mapping, or seldom any.
func randomValue(r *rand.Rand, depth int) string {
	switch n := r.IntN(30); {
	case n < 22 || depth > 4:
		return usualValues[r.IntN(len(usualValues))]
	case n < 24:
		return oddValues[r.IntN(len(oddValues))]
	case n < 27:
		var list []string
		for range r.IntN(4) {
			list = append(list, randomValue(r, depth+1))
		}
		return "[" + strings.Join(list, ",") + "]"
	}
	b := &branch{of: map[string]any{}}
	for range r.IntN(20) {
		path := strings.Split(usualPaths[r.IntN(len(usualPaths))], ".")
		b.set(path[len(path)-1:], randomValue(r, depth+1))
	}
	return b.text(r, depth)
}

var usualPaths = strings.Fields(`
	eventVersion eventTime eventSource eventName awsRegion sourceIPAddress userAgent errorCode errorMessage requestID eventID eventId
	eventType apiVersion managementEvent readOnly recipientAccountId recipientAccountID sharedEventID sharedEventId vpcEndpointId
	vpcEndpointAccountId eventCategory sessionCredentialFromConsole sourceIdentity annotation newThing accountId
	addendum addendum.reason addendum.updatedFields addendum.originalRequestID addendum.originalEventID
	tlsDetails tlsDetails.tlsVersion tlsDetails.cipherSuite tlsDetails.clientProvidedHostHeader tlsDetails.keyExchange
	insightDetails insightDetails.state eventContext eventContext.tagContext edgeDeviceDetails.type timeWindow.windowEnd summary.x
	userIdentity userIdentity.type userIdentity.type userIdentity.userName userIdentity.principalId userIdentity.arn userIdentity.accountId
	userIdentity.accessKeyId userIdentity.invokedBy userIdentity.credentialId userIdentity.identityProvider
	userIdentity.invokedByDelegate.accountId userIdentity.inScopeOf.issuerType userIdentity.inScopeOf.sourceArn
	userIdentity.onBehalfOf.userId userIdentity.onBehalfOf.identityStoreArn userIdentity.sessionContext
	userIdentity.sessionContext.attributes.mfaAuthenticated userIdentity.sessionContext.attributes.creationDate
	userIdentity.sessionContext.sessionIssuer.userName userIdentity.sessionContext.sessionIssuer.arn
	userIdentity.sessionContext.sessionIssuer.type userIdentity.sessionContext.assumedRoot
	userIdentity.sessionContext.webIdFederationData.attributes userIdentity.sessionContext.webIdFederationData.federatedProvider
	requestParameters requestParameters.userName requestParameters.newUserName requestParameters.groupName
	requestParameters.computerName requestParameters.instanceId requestParameters.target requestParameters.resourceId
	requestParameters.instanceIds.* requestParameters.instancesSet.items.*.instanceId requestParameters.targets.*.values.*
	requestParameters.cidrIp requestParameters.policyArn requestParameters.a requestParameters.b.c requestParameters.Aa requestParameters.BB
	responseElements responseElements.user.userId responseElements.group.groupId responseElements.ConsoleLogin
	responseElements.instanceIds.* responseElements.instancesSet.items.*.instanceId responseElements.x
	additionalEventData additionalEventData.UserName additionalEventData.MFAUsed additionalEventData.MobileVersion
	additionalEventData.LoginTo additionalEventData.SSEApplied serviceEventDetails serviceEventDetails.sourceIpAddress
	resources resources.*.ARN resources.*.accountId resources.*.type resources.*.arn resources.ARN resources.*.new
	digestStartTime digestEndTime digestS3Object digestS3Bucket awsAccountId previousDigestHashValue logFiles publicKeyFingerprint
	digestPublicKeyFingerprint previousDigestSignature Records`)

var usualValues = []string{
	`""`, `"-"`, `"none"`, `null`, `{}`, `[]`, `"None"`, `"No"`, `"Yes"`, `true`, `false`, `"true"`, `0`, `22`, `-1.5e10`, `"x"`, `"y"`,
	`"IAMUser"`, `"Root"`, `"AssumedRole"`, `"FederatedUser"`, `"IdentityCenterUser"`, `"AWSService"`, `"SAMLUser"`, `"AssumedRole"`,
	`"someone@example.com"`, `"@x"`, `"alice"`, `"10.0.0.1"`, `"::1"`, `"035.249.253.232"`, `"AWS Internal"`, `"host.example.com"`,
	`"ec2.amazonaws.com"`, `"2014-07-16T15:49:27Z"`, `"20131102T010628Z"`, `"2014-07-16T15:49:27.5+02:00"`, `"2014-13-01T00:00:00Z"`,
	`"TLSv1.3"`, `"tlsVersion"`, `"1.2"`, `"v"`, `"i-0123456789"`, `"i-012"`, `"sg-1"`, `"*"`, `"111122223333"`, `"AKIAIOSFODNN7EXAMPLE"`,
	`"arn:aws:sts::1:assumed-role/r/bob@example.com"`, `"arn:aws-cn:sts::1:assumed-role/r/s"`, `"arn:aws:iam::1:user/a/b"`,
	`"arn:aws:iam::1:role/aws-service-role/x/AWSServiceRoleForX"`, `"arn:aws:ec2:r:1:instance/i-0123456789"`, `"arn:aws:s3:::b/k"`,
	`"arn:aws:kms:r:1:key/k"`, `"arn:aws:sts::1:federated-user/f"`, `"arn:aws:x:y"`, `"arn:aws:sns:r:1:topic:x"`, `"Success"`, `"Failure"`,
}

var oddValues = []string{
	`"a\"b\\\n\u0000"`, `"\ud834\udd1e"`, `"\ud800"`, `"é𝄞"`, `{"a\u0000":1,"a\ufffd":2}`, `{"a.b":1,"a":{"b":2}}`, `{"":1," ":2}`,
	`{"Aa":1,"BB":2,"Aa":3}`, `1e400`, `-0`, `-0.0`, `1E-7`, `123456789012345678901234567890`, `[[[[]]]]`, `{"a":{"b":{"c":null}}}`,
	strings.Repeat(`{"k":`, 23) + `"v"` + strings.Repeat("}", 23), strings.Repeat("[", 23) + "1" + strings.Repeat("]", 23),
	`"` + strings.Repeat("x", 32762) + `"`, strings.Repeat("7", 1001), `{"` + strings.Repeat("k", 8000) + `":{"n":1},"m":2}`,
	"\"a\xff\xfeb\"",
}
