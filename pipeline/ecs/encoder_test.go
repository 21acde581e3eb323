package ecs_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
)

// absent is what a path must be that the document must not have.
type absent struct{}

// mapped is one small record and what must become of it. Lists are written as JSON lists of strings without quotes:
// "[a b]".
type mapped struct {
	name   string
	cfg    ecs.Config
	record string
	want   map[string]any
}

func runMapped(t *testing.T, tests []mapped) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			doc := encode(t, tt.cfg, tt.record)
			got := map[string]any{}
			for path := range tt.want {
				got[path] = absent{}
				if v, ok := doc[path]; ok {
					got[path] = display(v)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// display writes lists of strings as runMapped's tables do.
func display(v any) any {
	switch v := v.(type) {
	case []any:
		var words []string
		for _, m := range v {
			s, ok := m.(string)
			if !ok {
				return v
			}
			words = append(words, s)
		}
		return "[" + strings.Join(words, " ") + "]"
	case interface{ String() string }: // a json.Number
		return v.String()
	}
	return v
}

func TestTopLevel(t *testing.T) {
	runMapped(t, []mapped{
		{"empty record", ecs.Config{}, `{}`, map[string]any{
			"event.kind": "event", "event.type": "[info]", "event.outcome": "success", "cloud.provider": "aws",
			"@timestamp": "2026-11-21T09:00:00.000Z", "event.created": "2026-11-21T09:00:00.000Z",
			"event.category": absent{}, "event.original": absent{}, "user.name": absent{}, "related.user": absent{},
		}},
		{"void values are absent", ecs.Config{}, `{"awsRegion":"-","eventName":"none","errorCode":"","requestParameters":{"a":[null,{"b":"none"}]}}`, map[string]any{
			"cloud.region": absent{}, "event.action": absent{}, "event.outcome": "success",
			"aws.cloudtrail.request_parameters": absent{}, "aws.cloudtrail.flattened.request_parameters": absent{},
		}},
		{"constants", ecs.Config{Namespace: "prod"}, `{}`, map[string]any{
			"data_stream.type": "logs", "data_stream.dataset": "aws.cloudtrail", "data_stream.namespace": "prod",
			"event.dataset": "aws.cloudtrail", "event.module": "aws", "input.type": "aws-s3", "ecs.version": "8.11.0",
			"tags": "[forwarded aws-cloudtrail]", "log.offset": absent{}, "aws.s3.bucket.name": absent{},
		}},
		{"moves", ecs.Config{}, `{"eventVersion":"1.10","requestID":"r","eventID":"e","apiVersion":"2012","sharedEventId":"s","vpcEndpointId":"vpce-1","managementEvent":true,"readOnly":false,"addendum":{"reason":"UPDATED_DATA","updatedFields":"errorCode","originalRequestID":"o","originalEventID":"p"},"sessionCredentialFromConsole":"true"}`, map[string]any{
			"aws.cloudtrail.event_version": "1.10", "aws.cloudtrail.request_id": "r", "event.id": "e",
			"aws.cloudtrail.api_version": "2012", "aws.cloudtrail.shared_event_id": "s",
			"aws.cloudtrail.vpc_endpoint_id": "vpce-1", "aws.cloudtrail.management_event": "true",
			"aws.cloudtrail.read_only": false, "aws.cloudtrail.addendum.reason": "UPDATED_DATA",
			"aws.cloudtrail.addendum.updated_fields": "errorCode", "aws.cloudtrail.addendum.original_request_id": "o",
			"aws.cloudtrail.addendum.original_event_id": "p", "aws.cloudtrail.session_credential_from_console": "true",
		}},
		{"service name ends at the first suffix", ecs.Config{}, `{"eventSource":"a.amazonaws.com.amazonaws.com"}`, map[string]any{
			"event.provider": "a.amazonaws.com.amazonaws.com", "cloud.service.name": "a",
		}},
		{"no service name", ecs.Config{}, `{"eventSource":"aws.example.com"}`, map[string]any{
			"event.provider": "aws.example.com", "cloud.service.name": absent{},
		}},
		{"account of the recipient", ecs.Config{}, `{"recipientAccountId":"2"}`, map[string]any{"cloud.account.id": "2"}},
		{"account of the caller", ecs.Config{}, `{"recipientAccountId":"2","userIdentity":{"accountId":"1"}}`, map[string]any{
			"cloud.account.id": "1", "aws.cloudtrail.recipient_account_id": "2",
		}},
		{"object where a keyword belongs", ecs.Config{}, `{"errorCode":{"b":1,"a":[2]}}`, map[string]any{
			"aws.cloudtrail.error_code": "{a=[2], b=1}", "event.outcome": "failure",
		}},
		{"escapes", ecs.Config{}, `{"errorMessage":"a\"b\n\u00e9\\","eventName":"\u0043reateUser"}`, map[string]any{
			"aws.cloudtrail.error_message": "a\"b\n\u00e9\\", "event.action": "CreateUser", "event.type": "[user creation]",
		}},
	})
}

func TestTimes(t *testing.T) {
	runMapped(t, []mapped{
		{"usual", ecs.Config{}, `{"eventTime":"2014-07-16T15:49:27Z"}`, map[string]any{"@timestamp": "2014-07-16T15:49:27.000Z"}},
		{"offset", ecs.Config{}, `{"eventTime":"2014-07-16T15:49:27.1234+02:00"}`, map[string]any{"@timestamp": "2014-07-16T13:49:27.123Z"}},
		{"leap second", ecs.Config{}, `{"eventTime":"2016-12-31T23:59:60Z"}`, map[string]any{"@timestamp": "2017-01-01T00:00:00.000Z"}},
		{"no time", ecs.Config{}, `{"eventTime":"yesterday"}`, map[string]any{
			"@timestamp": "2026-11-21T09:00:00.000Z", "error.message": "[eventTime is not a time]",
			"event.kind": "pipeline_error", "event.original": `{"eventTime":"yesterday"}`,
			"tags": "[forwarded aws-cloudtrail preserve_original_event]",
		}},
		{"year 0", ecs.Config{}, `{"eventTime":"0000-01-01T00:00:00+01:00"}`, map[string]any{"event.kind": "pipeline_error"}},
		{"window of an aggregated event", ecs.Config{}, `{"accountId":"1","eventId":"e","timeWindow":{"windowStart":"2026-01-02T03:00:00Z","windowEnd":"2026-01-02T03:05:00Z"},"summary":{"x":1}}`, map[string]any{
			"@timestamp": "2026-01-02T03:05:00.000Z", "event.kind": "event", "event.id": "e", "cloud.account.id": "1",
			"aws.cloudtrail.flattened.other.timeWindow.windowStart": "2026-01-02T03:00:00Z",
			"aws.cloudtrail.flattened.other.summary.x":              "1",
		}},
		{"creation date", ecs.Config{}, `{"userIdentity":{"sessionContext":{"attributes":{"creationDate":"20131102T010628Z","mfaAuthenticated":"true"}}}}`, map[string]any{
			"aws.cloudtrail.user_identity.session_context.creation_date":     "2013-11-02T01:06:28.000Z",
			"aws.cloudtrail.user_identity.session_context.mfa_authenticated": "true",
		}},
		{"bad creation date", ecs.Config{}, `{"userIdentity":{"sessionContext":{"attributes":{"creationDate":"x"}}}}`, map[string]any{
			"aws.cloudtrail.user_identity.session_context.creation_date": absent{}, "event.kind": "pipeline_error",
			"error.message": "[userIdentity.sessionContext.attributes.creationDate is not a time]",
		}},
	})
}

func TestIdentity(t *testing.T) {
	runMapped(t, []mapped{
		{"IAMUser", ecs.Config{}, `{"userIdentity":{"type":"IAMUser","userName":"a@b.c","principalId":"AIDA"}}`, map[string]any{
			"user.name": "a@b.c", "user.id": "AIDA", "user.email": "a@b.c", "related.user": "[AIDA a@b.c]",
		}},
		{"@ at the front is no mail", ecs.Config{}, `{"userIdentity":{"userName":"@b"}}`, map[string]any{"user.email": absent{}, "user.name": "@b"}},
		{"AssumedRole", ecs.Config{}, `{"userIdentity":{"type":"AssumedRole","principalId":"AROA:j@x.y","arn":"arn:aws-cn:sts::1:assumed-role/R/j@x.y","sessionContext":{"sessionIssuer":{"type":"Role","userName":"R","arn":"arn:aws-cn:iam::1:role/R","principalId":"AROA","accountId":"1"},"webIdFederationData":{"federatedProvider":"p","attributes":{"a":"b"}},"sourceIdentity":"s","assumedRoot":"true","ec2RoleDelivery":"2.0","signInSessionArn":"q"}}}`, map[string]any{
			"user.name": "R", "user.email": "j@x.y", "related.user": "[j@x.y j AROA:j@x.y R]",
			"aws.cloudtrail.user_identity.session_context.session_issuer.arn":                        "arn:aws-cn:iam::1:role/R",
			"aws.cloudtrail.user_identity.session_context.session_issuer.principal_id":               "AROA",
			"aws.cloudtrail.user_identity.session_context.session_issuer.account_id":                 "1",
			"aws.cloudtrail.user_identity.session_context.session_issuer.type":                       "Role",
			"aws.cloudtrail.user_identity.session_context.web_id_federation_data.federated_provider": "p",
			"aws.cloudtrail.user_identity.session_context.web_id_federation_data.attributes.a":       "b",
			"aws.cloudtrail.user_identity.session_context.source_identity":                           "s",
			"aws.cloudtrail.user_identity.session_context.assumed_root":                              "true",
			"aws.cloudtrail.user_identity.session_context.ec2_role_delivery":                         "2.0",
			"aws.cloudtrail.user_identity.session_context.sign_in_session_arn":                       "q",
		}},
		{"session name only for some types", ecs.Config{}, `{"userIdentity":{"type":"IAMUser","arn":"arn:aws:sts::1:assumed-role/R/s"}}`, map[string]any{"related.user": absent{}}},
		{"FederatedUser", ecs.Config{}, `{"userIdentity":{"type":"FederatedUser","principalId":"1:f","arn":"arn:aws:sts::1:federated-user/f","sessionContext":{"sessionIssuer":{"userName":"iam"}}}}`, map[string]any{
			"user.name": "iam", "user.id": "1:f", "related.user": "[f 1:f iam]",
		}},
		{"issuer of another type", ecs.Config{}, `{"userIdentity":{"type":"Role","userName":"u","sessionContext":{"sessionIssuer":{"userName":"i"}}}}`, map[string]any{"user.name": "u"}},
		{"IdentityCenterUser", ecs.Config{}, `{"userIdentity":{"type":"IdentityCenterUser","onBehalfOf":{"userId":"u-1","identityStoreArn":"arn:aws:identitystore::1:identitystore/d-1"},"credentialId":"c"},"eventName":"X"}`, map[string]any{
			"user.id": "u-1", "related.user": "[u-1]", "actor.entity.id": "[u-1]", "entity.id": "[u-1]",
			"related.entity": "[arn:aws:identitystore::1:identitystore/d-1]",
			"aws.cloudtrail.user_identity.on_behalf_of.user_id": "u-1",
			"aws.cloudtrail.user_identity.credential_id":        "c",
		}},
		{"other parts", ecs.Config{}, `{"userIdentity":{"type":"AWSService","invokedBy":"x.amazonaws.com","invokedByDelegate":{"accountId":"9"},"identityProvider":"idp","inScopeOf":{"issuerType":"t","credentialsIssuedTo":"c","sourceArn":"a","sourceAccount":"b"}}}`, map[string]any{
			"aws.cloudtrail.user_identity.invoked_by":                        "x.amazonaws.com",
			"aws.cloudtrail.user_identity.invoked_by_delegate.account_id":    "9",
			"aws.cloudtrail.user_identity.identity_provider":                 "idp",
			"aws.cloudtrail.user_identity.in_scope_of.issuer_type":           "t",
			"aws.cloudtrail.user_identity.in_scope_of.credentials_issued_to": "c",
			"aws.cloudtrail.user_identity.in_scope_of.source_arn":            "a",
			"aws.cloudtrail.user_identity.in_scope_of.source_account":        "b",
		}},
		{"UserAuthentication", ecs.Config{}, `{"eventName":"UserAuthentication","additionalEventData":{"UserName":"jo","a":"b"}}`, map[string]any{
			"user.name": "jo", "aws.cloudtrail.additional_eventdata": "{a=b}",
			"aws.cloudtrail.flattened.additional_eventdata.a": "b", "aws.cloudtrail.flattened.additional_eventdata.UserName": absent{},
		}},
		{"UserAuthentication, nothing else said", ecs.Config{}, `{"eventName":"UserAuthentication","additionalEventData":{"UserName":"jo"}}`, map[string]any{
			"user.name": "jo", "aws.cloudtrail.additional_eventdata": absent{}, "aws.cloudtrail.flattened.additional_eventdata.UserName": absent{},
		}},
		{"UserAuthentication with a name", ecs.Config{}, `{"eventName":"UserAuthentication","userIdentity":{"userName":"ann"},"additionalEventData":{"UserName":"jo"}}`, map[string]any{
			"user.name": "ann", "aws.cloudtrail.additional_eventdata": "{UserName=jo}",
		}},
		{"other principals", ecs.Config{}, `{"requestParameters":{"userName":"t","newUserName":"n","groupName":"g"},"responseElements":{"user":{"userId":"U"},"group":{"groupId":"G"}}}`, map[string]any{
			"user.target.name": "t", "user.target.id": "U", "user.changes.name": "n", "group.name": "g", "group.id": "G",
			"related.user": "[t n U]",
		}},
		{"identity that is text", ecs.Config{}, `{"userIdentity":"root"}`, map[string]any{"aws.cloudtrail.flattened.other.userIdentity": "root"}},
	})
}

func TestKindAndOutcome(t *testing.T) {
	runMapped(t, []mapped{
		{"category", ecs.Config{}, `{"eventName":"AddUserToGroup"}`, map[string]any{"event.category": "[iam]", "event.type": "[group change]"}},
		{"category of a thing", ecs.Config{}, `{"eventName":"AuthorizeSecurityGroupIngress"}`, map[string]any{"event.category": "[network]", "event.type": "[access]"}},
		{"no category", ecs.Config{}, `{"eventName":"AuthorizeSecurityGroupEgress"}`, map[string]any{"event.category": absent{}, "event.type": "[info]"}},
		{"versioned names have none", ecs.Config{}, `{"eventName":"ListFunctions20150331"}`, map[string]any{"event.category": absent{}}},
		{"error code", ecs.Config{}, `{"errorCode":"200"}`, map[string]any{"event.outcome": "failure"}},
		{"error message", ecs.Config{}, `{"errorMessage":"x"}`, map[string]any{"event.outcome": "failure"}},
		{"sign-in", ecs.Config{}, `{"eventName":"ConsoleLogin","errorMessage":"x","responseElements":{"ConsoleLogin":"Success"},"additionalEventData":{"MobileVersion":"No","LoginTo":"https://x","MFAUsed":"Yes"}}`, map[string]any{
			"event.outcome": "success",
			"aws.cloudtrail.console_login.additional_eventdata.mobile_version": false,
			"aws.cloudtrail.console_login.additional_eventdata.mfa_used":       true,
			"aws.cloudtrail.console_login.additional_eventdata.login_to":       "https://x",
		}},
		{"sign-in elsewhere", ecs.Config{}, `{"eventName":"Other","errorMessage":"x","responseElements":{"ConsoleLogin":"Success"},"additionalEventData":{"MFAUsed":"Yes"}}`, map[string]any{
			"event.outcome": "failure", "aws.cloudtrail.console_login.additional_eventdata.mfa_used": absent{},
		}},
	})
}

func TestSourceAndTLS(t *testing.T) {
	runMapped(t, []mapped{
		{"IPv4", ecs.Config{}, `{"sourceIPAddress":"1.2.3.4"}`, map[string]any{"source.address": "1.2.3.4", "source.ip": "1.2.3.4", "related.ip": "[1.2.3.4]", "related.hosts": absent{}}},
		{"leading zero", ecs.Config{}, `{"sourceIPAddress":"035.1.2.3"}`, map[string]any{"source.address": "035.1.2.3", "source.ip": absent{}, "event.kind": "event", "related.hosts": "[035.1.2.3]"}},
		{"service", ecs.Config{}, `{"sourceIPAddress":"ssm.amazonaws.com"}`, map[string]any{"source.ip": absent{}, "related.hosts": absent{}}},
		{"internal", ecs.Config{}, `{"sourceIPAddress":"AWS Internal"}`, map[string]any{"source.address": "AWS Internal", "source.ip": absent{}, "related.hosts": absent{}}},
		{"TLSv1.3", ecs.Config{}, `{"tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"c","clientProvidedHostHeader":"h.example","keyExchange":"k"}}`, map[string]any{
			"tls.version": "1.3", "tls.version_protocol": "tls", "tls.cipher": "c", "tls.client.server_name": "h.example",
			"aws.cloudtrail.tls_details.key_exchange": "k", "related.hosts": "[h.example]",
		}},
		{"1.3", ecs.Config{}, `{"tlsDetails":{"tlsVersion":"1.3"}}`, map[string]any{"tls.version": "1.3", "tls.version_protocol": absent{}}},
		{"placeholder", ecs.Config{}, `{"tlsDetails":{"tlsVersion":"tlsVersion","cipherSuite":"cipherSuite"}}`, map[string]any{"tls.version": absent{}, "tls.cipher": absent{}}},
		{"host of AWS", ecs.Config{}, `{"tlsDetails":{"clientProvidedHostHeader":"s3.amazonaws.com"}}`, map[string]any{"tls.client.server_name": "s3.amazonaws.com", "related.hosts": absent{}}},
		{"instances", ecs.Config{}, `{"requestParameters":{"instanceId":"i-0123456789","target":"i-short","instanceIds":["i-2222222222",3],"computerName":"pc"},"responseElements":{"instancesSet":{"items":[{"instanceId":"i-1111111111"}]}},"resources":[{"ARN":"arn:aws:ec2:us-east-1:1:instance/i-4444444444"}]}`, map[string]any{
			"related.hosts": "[i-0123456789 i-1111111111 i-2222222222 i-4444444444 pc]",
		}},
		{"address of the service event", ecs.Config{}, `{"sourceIPAddress":"1.2.3.4","serviceEventDetails":{"sourceIpAddress":"2001:db8::1"}}`, map[string]any{"related.ip": "[1.2.3.4 2001:db8::1]"}},
		{"CLI", ecs.Config{}, `{"userAgent":"[aws-cli/2.17.60 md/x]"}`, map[string]any{"user_agent.original": "[aws-cli/2.17.60 md/x]", "user_agent.name": "aws-cli", "user_agent.version": "2.17.60"}},
		{"browser", ecs.Config{}, `{"userAgent":"Mozilla/5.0"}`, map[string]any{"user_agent.original": "Mozilla/5.0", "user_agent.name": absent{}}},
	})
}

func TestResources(t *testing.T) {
	runMapped(t, []mapped{
		{"renamed", ecs.Config{}, `{"resources":[{"ARN":"a","accountId":"1","type":"T"}]}`, map[string]any{
			"aws.cloudtrail.resources": []any{map[string]any{"arn": "a", "account_id": "1", "type": "T"}},
		}},
		{"the last of equal ones", ecs.Config{}, `{"resources":[{"ARN":"a","x":"1"},"text",{"ARN":"a","x":"2"}]}`, map[string]any{
			"aws.cloudtrail.resources": []any{map[string]any{"arn": "a", "x": "2"}},
		}},
		{"both spellings", ecs.Config{}, `{"resources":[{"arn":"b","ARN":"a"}]}`, map[string]any{
			"aws.cloudtrail.resources": []any{map[string]any{"arn": "a"}},
		}},
		{"one object moves as it is", ecs.Config{}, `{"eventName":"X","resources":{"ARN":"a"}}`, map[string]any{
			"aws.cloudtrail.resources.ARN": "a", "related.entity": absent{},
		}},
		{"text", ecs.Config{}, `{"resources":"a"}`, map[string]any{
			"aws.cloudtrail.resources": absent{}, "aws.cloudtrail.flattened.other.resources": "a",
		}},
	})
}

func TestOthers(t *testing.T) {
	runMapped(t, []mapped{
		{"unknown keys", ecs.Config{}, `{"newThing":{"a":[1,null]},"edgeDeviceDetails":{"b":"c"},"annotation":"x","eventName":"E"}`, map[string]any{
			"aws.cloudtrail.flattened.other.newThing.a":          []any{jsonNumber("1")},
			"aws.cloudtrail.flattened.other.edgeDeviceDetails.b": "c",
			"aws.cloudtrail.flattened.other.annotation":          "x",
			"aws.cloudtrail.flattened.other.eventName":           absent{},
		}},
		{"event context", ecs.Config{}, `{"eventContext":{"tagContext":{"principalTags":{"team":"x"}}}}`, map[string]any{
			"aws.cloudtrail.event_context.tagContext.principalTags.team": "x",
		}},
		{"event context that is text", ecs.Config{}, `{"eventContext":"x"}`, map[string]any{
			"aws.cloudtrail.event_context": absent{}, "aws.cloudtrail.flattened.other.eventContext": "x",
		}},
		{"readOnly that is no boolean", ecs.Config{}, `{"readOnly":"maybe"}`, map[string]any{
			"aws.cloudtrail.read_only": absent{}, "aws.cloudtrail.flattened.other.readOnly": "maybe",
		}},
		{"insight", ecs.Config{}, `{"insightDetails":{"state":"Start"},"sharedEventID":"s"}`, map[string]any{
			"aws.cloudtrail.flattened.insight_details.state": "Start", "event.outcome": "success",
		}},
		{"digest with a bad time and a new key", ecs.Config{}, `{"digestEndTime":"2020-09-11T19:36:49Z","oldestEventTime":"x","awsAccountId":"1","digestS3Object":"o","later":"y"}`, map[string]any{
			"@timestamp": "2020-09-11T19:36:49.000Z", "event.kind": "pipeline_error", "cloud.account.id": "1", "file.path": "o",
			"aws.cloudtrail.flattened.digest.end_time": "2020-09-11T19:36:49.000Z", "aws.cloudtrail.flattened.other.later": "y",
			"aws.cloudtrail.flattened.digest.oldest_event_time": absent{}, "aws.cloudtrail.flattened.other.awsAccountId": absent{},
		}},
	})
}

func TestObject(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)
	tests := []struct {
		name   string
		object *cloudtrail.Object
		want   map[string]any
	}{
		{"S3", &cloudtrail.Object{Bucket: "b", Key: "p/AWSLogs/1.json.gz", Region: "eu-west-1", Read: at}, map[string]any{
			"aws.s3.bucket.name": "b", "aws.s3.bucket.arn": "arn:aws:s3:::b", "aws.s3.object.key": "p/AWSLogs/1.json.gz",
			"log.file.path": "https://b.s3.eu-west-1.amazonaws.com/p/AWSLogs/1.json.gz", "log.offset": "12",
			"event.created": "2026-01-02T03:04:05.006Z", "@timestamp": "2026-01-02T03:04:05.006Z",
		}},
		{"China", &cloudtrail.Object{Bucket: "b", Key: "k", Region: "cn-north-1"}, map[string]any{
			"aws.s3.bucket.arn": "arn:aws-cn:s3:::b", "log.file.path": "https://b.s3.cn-north-1.amazonaws.com.cn/k",
			"@timestamp": absent{}, "event.created": absent{},
		}},
		{"region unknown", &cloudtrail.Object{Bucket: "b", Key: "k"}, map[string]any{"log.file.path": "https://b.s3.amazonaws.com/k"}},
		{"local file", &cloudtrail.Object{Key: "logs/\"x\xff.json"}, map[string]any{
			"log.file.path": "logs/\"x\uFFFD.json", "aws.s3.bucket.name": absent{}, "log.offset": "12",
		}},
		{"of another account", &cloudtrail.Object{Key: "k", KeyInfo: cloudtrail.KeyInfo{Account: "111111111111"}}, map[string]any{
			"tags": "[forwarded aws-cloudtrail _account_mismatch]",
		}},
		{"of the same account", &cloudtrail.Object{Key: "k", KeyInfo: cloudtrail.KeyInfo{Account: "222222222222"}}, map[string]any{
			"tags": "[forwarded aws-cloudtrail]",
		}},
		{"none", nil, map[string]any{"log.offset": absent{}, "event.created": absent{}}},
	}
	e := ecs.NewEncoder(ecs.Config{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := parse(t, `{"recipientAccountId":"222222222222"}`)
			r.Object, r.Offset = tt.object, 12
			doc := decode(t, e.Append(nil, r))
			for path, want := range tt.want {
				got := any(absent{})
				if v, ok := doc[path]; ok {
					got = display(v)
				}
				if got != want {
					t.Errorf("%s: got %v, want %v", path, got, want)
				}
			}
		})
	}
}

func TestStamp(t *testing.T) {
	e := ecs.NewEncoder(ecs.Config{})
	doc := e.Append(nil, parse(t, `{"eventName":"X"}`))
	size := len(doc)
	for _, at := range []time.Time{
		time.Date(2026, 11, 21, 10, 0, 0, 123999999, time.FixedZone("", 3600)),
		time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC),
	} {
		e.Stamp(doc, at)
		if got, want := decode(t, doc)["event.ingested"], at.UTC().Format("2006-01-02T15:04:05.000Z"); got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	if len(doc) != size || !strings.HasPrefix(string(doc), `{"event":{"ingested":"2027-01-02T03:04:05.000Z",`) {
		t.Errorf("the document does not begin with the time: %s", doc)
	}
}

func TestAppendDegraded(t *testing.T) {
	const record = `{"eventName":"X","userIdentity":{"userName":"u","sessionContext":{"webIdFederationData":{"attributes":{"a":"b"}}}},` +
		`"requestParameters":{"b":1,"a":{"c":2}},"eventContext":{"a":"b"},"newThing":1,"resources":[{"ARN":"a","":{"x":1}}]}`
	for _, retain := range []ecs.Retain{ecs.RetainAll, ecs.RetainFlattened} {
		e := ecs.NewEncoder(ecs.Config{Retain: retain})
		got := decode(t, e.AppendDegraded(nil, parse(t, record), "mapper: \"bad\" \xff"))
		for path := range got {
			if strings.Contains(path, "flattened") || strings.Contains(path, "event_context") || strings.HasSuffix(path, "attributes.a") {
				t.Errorf("%s is in the degraded document", path)
			}
		}
		want := map[string]any{
			"event.kind": "pipeline_error", "event.action": "X", "user.name": "u", "event.original": record,
			"error.message": "[mapper: \"bad\" \uFFFD]", "aws.cloudtrail.request_parameters": "{a={c=2}, b=1}",
			"aws.cloudtrail.resources": []any{map[string]any{"arn": "a"}},
		}
		for path, v := range want {
			if diff := cmp.Diff(v, display(got[path])); diff != "" {
				t.Errorf("%s: (-want +got):\n%s", path, diff)
			}
		}
		if next := decode(t, e.Append(nil, parse(t, record))); next["event.kind"] != "event" {
			t.Error("the next document is degraded too")
		}
	}
}
