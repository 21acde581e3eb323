package ecs_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailship/trailship/pipeline/ecs"
)

// shapes are the kinds of records that CloudTrail writes, and those that it should not.
// Source: AWS CloudTrail User Guide, "CloudTrail record contents" and the pages on each kind of event.
func shapes() []mapped {
	return append(append(eventShapes(), identityShapes()...), driftShapes()...)
}

// TestShapes: each is mapped as it should be, keeps its own bytes, has only typed fields, and the reference agrees.
func TestShapes(t *testing.T) {
	fields := typed(t)
	runMapped(t, shapes())
	for _, tt := range shapes() {
		t.Run(tt.name+", whole", func(t *testing.T) {
			doc := encode(t, ecs.Config{KeepOriginal: true}, tt.record)
			if got := doc["event.original"]; got != tt.record {
				t.Errorf("event.original (-want +got):\n%s", cmp.Diff(tt.record, got))
			}
			checkTyped(t, fields, doc)
			newDiffer(ecs.Config{KeepOriginal: true}).compare(t, []byte(tt.record))
		})
	}
}

const flattened = "aws.cloudtrail.flattened."

func eventShapes() []mapped {
	return []mapped{
		{"management event", ecs.Config{}, `{"eventVersion":"1.09","userIdentity":{"type":"IAMUser","userName":"a"},"eventTime":"2026-01-02T03:04:05Z","eventSource":"iam.amazonaws.com","eventName":"DeleteGroup","managementEvent":true,"eventCategory":"Management","readOnly":false,"responseElements":null}`, map[string]any{
			"aws.cloudtrail.management_event": "true", "aws.cloudtrail.event_category": "Management", "event.type": "[group deletion]",
			"aws.cloudtrail.response_elements": absent{}, "aws.cloudtrail.event_version": "1.09",
		}},
		{"data event", ecs.Config{}, `{"eventSource":"s3.amazonaws.com","eventName":"GetObject","managementEvent":false,"eventCategory":"Data","resources":[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::b/k"},{"accountId":"1","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::b"}],"requestParameters":{"bucketName":"b","key":"k"}}`, map[string]any{
			"aws.cloudtrail.management_event": "false", "event.category": "[file]",
			"target.entity.id": "[arn:aws:s3:::b arn:aws:s3:::b/k]", "related.entity": "[arn:aws:s3:::b arn:aws:s3:::b/k b]",
		}},
		{"network activity event", ecs.Config{}, `{"eventType":"AwsVpceEvent","eventCategory":"NetworkActivity","eventName":"GetObject","errorCode":"VpceAccessDenied","errorMessage":"The request was denied due to a VPC endpoint policy","sourceIPAddress":"10.0.0.7","vpcEndpointId":"vpce-1","vpcEndpointAccountId":"222222222222","userIdentity":{"type":"AWSAccount","principalId":"AIDA","accountId":"111111111111"},"recipientAccountId":"222222222222"}`, map[string]any{
			"aws.cloudtrail.vpc_endpoint_id": "vpce-1", "aws.cloudtrail.vpc_endpoint_account_id": "222222222222",
			"event.outcome": "failure", "cloud.account.id": "111111111111", "source.ip": "10.0.0.7", "aws.cloudtrail.event_type": "AwsVpceEvent",
		}},
		{"Insights event", ecs.Config{}, `{"eventVersion":"1.07","eventTime":"2026-01-02T03:04:00Z","awsRegion":"us-east-1","eventID":"e","eventType":"AwsCloudTrailInsight","recipientAccountId":"1","sharedEventID":"s","insightDetails":{"state":"End","eventSource":"iam.amazonaws.com","eventName":"ListUsers","insightType":"ApiErrorRateInsight","insightContext":{"statistics":{"baseline":{"average":0.5},"insightDuration":1},"attributions":[{"attribute":"errorCode","insight":[{"value":"null","average":2}]}]}},"eventCategory":"Insight"}`, map[string]any{
			flattened + "insight_details.insightContext.statistics.baseline.average": "0.5", flattened + "insight_details.eventName": "ListUsers",
			"event.action": absent{}, "event.outcome": "success", "event.type": "[info]", "aws.cloudtrail.shared_event_id": "s",
			"cloud.account.id": "1", "actor.entity.id": absent{}, "related.entity": absent{},
		}},
		{"service event", ecs.Config{}, `{"userIdentity":{"accountId":"1","invokedBy":"secretsmanager.amazonaws.com"},"eventSource":"secretsmanager.amazonaws.com","eventName":"RotationSucceeded","sourceIPAddress":"secretsmanager.amazonaws.com","userAgent":"secretsmanager.amazonaws.com","requestParameters":null,"responseElements":null,"additionalEventData":{"SecretId":"x"},"eventType":"AwsServiceEvent","serviceEventDetails":{"sourceIpAddress":"1.2.3.4","n":1.5}}`, map[string]any{
			"aws.cloudtrail.service_event_details": "{sourceIpAddress=1.2.3.4, n=1.5}", flattened + "service_event_details.n": "1.5",
			"related.ip": "[1.2.3.4]", "source.ip": absent{}, "aws.cloudtrail.user_identity.type": absent{}, "user.name": absent{},
			"aws.cloudtrail.user_identity.invoked_by": "secretsmanager.amazonaws.com",
		}},
		{"sign-in that failed", ecs.Config{}, `{"userIdentity":{"type":"IAMUser","principalId":"AIDA","accountId":"1","accessKeyId":"","userName":"HIDDEN_DUE_TO_SECURITY_REASONS"},"eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","errorMessage":"Failed authentication","responseElements":{"ConsoleLogin":"Failure"},"additionalEventData":{"MFAUsed":"YES","MobileVersion":"no"},"eventType":"AwsConsoleSignIn","recipientAccountId":"1"}`, map[string]any{
			"event.outcome": "failure", "aws.cloudtrail.user_identity.access_key_id": absent{}, "event.category": "[authentication]",
			"aws.cloudtrail.console_login.additional_eventdata.mfa_used": true, "aws.cloudtrail.console_login.additional_eventdata.mobile_version": true,
			"target.entity.id": "[1]", "actor.entity.id": absent{},
		}},
		{"console action", ecs.Config{}, `{"eventType":"AwsConsoleAction","eventName":"SwitchRole","eventSource":"signin.amazonaws.com","responseElements":{"SwitchRole":"Success"}}`, map[string]any{
			"aws.cloudtrail.event_type": "AwsConsoleAction", "event.outcome": "success",
		}},
		{"addendum", ecs.Config{}, `{"eventName":"X","addendum":{"reason":"UPDATED_DATA","updatedFields":"responseElements","originalRequestID":"r","originalEventID":"e","new":1}}`, map[string]any{
			"aws.cloudtrail.addendum.reason": "UPDATED_DATA", "aws.cloudtrail.addendum.original_event_id": "e",
		}},
		{"aggregated event", ecs.Config{}, `{"eventVersion":"1.0","accountId":"1","eventId":"e","eventCategory":"Aggregated","eventType":"AwsAggregatedEvent","awsRegion":"eu-west-1","eventSource":"s3.amazonaws.com","timeWindow":{"windowStart":"2026-01-02T03:00:00Z","windowEnd":"2026-01-02T03:05:00Z","windowSize":"PT5M"},"summary":{"primaryDimension":{"dimension":"userIdentity","statistics":[{"name":"a","value":3}]}}}`, map[string]any{
			"@timestamp": "2026-01-02T03:05:00.000Z", "event.id": "e", "cloud.account.id": "1", "event.provider": "s3.amazonaws.com",
			flattened + "other.summary.primaryDimension.dimension": "userIdentity", "event.kind": "event",
		}},
		{"digest", ecs.Config{Retain: ecs.RetainNone}, `{"awsAccountId":"1","digestStartTime":"2026-01-02T03:00:00Z","digestEndTime":"2026-01-02T04:00:00Z","digestS3Bucket":"b","digestS3Object":"AWSLogs/1/CloudTrail-Digest/x","newestEventTime":"2026-01-02T03:59:00Z","oldestEventTime":"2026-01-02T03:01:00Z","previousDigestS3Bucket":null,"previousDigestHashValue":"h","previousDigestHashAlgorithm":"SHA-256","previousDigestSignature":"s","digestPublicKeyFingerprint":"f","digestSignatureAlgorithm":"SHA256withRSA","logFiles":[{"s3Bucket":"b","hashValue":"x"}]}`, map[string]any{
			"@timestamp": "2026-01-02T04:00:00.000Z", "cloud.account.id": "1", "file.path": "AWSLogs/1/CloudTrail-Digest/x", "related.hash": "[h]",
			flattened + "digest.end_time": "2026-01-02T04:00:00.000Z", flattened + "digest.public_key_fingerprint": "f",
			flattened + "digest.previous_s3_bucket": absent{}, flattened + "other": absent{}, "event.outcome": "success",
		}},
		{"first digest of a trail", ecs.Config{}, `{"awsAccountId":"1","digestEndTime":"2026-01-02T04:00:00Z","previousDigestS3Bucket":null,"previousDigestSignature":null,"logFiles":[]}`, map[string]any{
			"related.hash": absent{}, flattened + "digest.log_files": absent{}, "cloud.account.id": "1",
		}},
		{"truncated request", ecs.Config{}, `{"eventName":"PutRolePolicy","requestParameters":{"reason":"requestParameters too large","omitted":"true","originalSize":"149893"},"responseElements":{"omitted":true}}`, map[string]any{
			flattened + "request_parameters.omitted": "true", flattened + "request_parameters.reason": "requestParameters too large",
			flattened + "response_elements.omitted": true,
		}},
		{"no eventID, no eventTime, no eventName", ecs.Config{}, `{"eventVersion":"1.08"}`, map[string]any{
			"event.id": absent{}, "@timestamp": "2026-11-21T09:00:00.000Z", "event.kind": "event", "error.message": absent{}, "event.action": absent{},
		}},
		{"event context", ecs.Config{}, `{"eventVersion":"1.11","eventContext":{"requestContext":{"aws:SourceVpc":"v"},"tagContext":{"principalTags":{"team.name":"x"},"resourceTags":[{"arn":"a","tags":{"k":"v"}}]}}}`, map[string]any{
			"aws.cloudtrail.event_context.requestContext.aws:SourceVpc": "v", "aws.cloudtrail.event_context.tagContext.principalTags.team.name": "x",
			flattened + "other.eventContext": absent{},
		}},
		{"unknown keys", ecs.Config{}, `{"eventVersion":"1.99","brandNew":{"a":{"b":[1,"x"]}},"annotation":"n","edgeDeviceDetails":{"type":"snow"}}`, map[string]any{
			flattened + "other.brandNew.a.b": []any{json.Number("1"), "x"}, flattened + "other.annotation": "n", flattened + "other.edgeDeviceDetails.type": "snow",
		}},
	}
}

func identityShapes() []mapped {
	identity := func(name, text string, want map[string]any) mapped {
		return mapped{name: name, record: `{"eventName":"X","userIdentity":` + text + `,"recipientAccountId":"999999999999"}`, want: want}
	}
	const session = `"sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROA","arn":"arn:aws:iam::1:role/p/R","accountId":"1","userName":"R"},"attributes":{"creationDate":"2026-01-02T03:04:05Z","mfaAuthenticated":"false"}}`
	return []mapped{
		identity("IAMUser", `{"type":"IAMUser","principalId":"AIDA","arn":"arn:aws:iam::1:user/d/u","accountId":"1","accessKeyId":"AKIA","userName":"u"}`, map[string]any{
			"user.name": "u", "user.id": "AIDA", "user.entity.id": "[arn:aws:iam::1:user/d/u]", "cloud.account.id": "1",
		}),
		identity("Root", `{"type":"Root","principalId":"1","arn":"arn:aws:iam::1:root","accountId":"1"}`, map[string]any{
			"user.name": absent{}, "user.id": "1", "user.entity.id": "[arn:aws:iam::1:root]",
		}),
		identity("Root with an alias", `{"type":"Root","principalId":"1","userName":"my-alias"}`, map[string]any{"user.name": "my-alias", "actor.entity.id": absent{}}),
		identity("AssumedRole", `{"type":"AssumedRole","principalId":"AROA:s","arn":"arn:aws:sts::1:assumed-role/R/s","accountId":"1",`+session+`}`, map[string]any{
			"user.name": "R", "user.id": "AROA:s", "related.user": "[s AROA:s R]",
			"aws.cloudtrail.user_identity.session_context.session_issuer.arn": "arn:aws:iam::1:role/p/R",
		}),
		identity("AssumedRole of a person", `{"type":"AssumedRole","principalId":"AROA:a@b.c","arn":"arn:aws-us-gov:sts::1:assumed-role/R/a@b.c",`+session+`}`, map[string]any{
			"user.email": "a@b.c", "related.user": "[a@b.c a AROA:a@b.c R]", "user.name": "R",
		}),
		identity("service-linked role", `{"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/AWSServiceRoleForX/s"}`, map[string]any{
			"service.entity.id": "[arn:aws:sts::1:assumed-role/AWSServiceRoleForX/s]", "user.entity.id": absent{},
		}),
		identity("Role", `{"type":"Role","principalId":"AROA:s","arn":"arn:aws:iam::1:role/R","accountId":"1"}`, map[string]any{
			"user.name": absent{}, "user.id": "AROA:s", "user.entity.id": "[arn:aws:iam::1:role/R]",
		}),
		identity("FederatedUser", `{"type":"FederatedUser","principalId":"1:f","arn":"arn:aws:sts::1:federated-user/f","accountId":"1",`+session+`}`, map[string]any{
			"user.name": "R", "user.id": "1:f", "related.user": "[f 1:f R]", "user.entity.id": "[arn:aws:sts::1:federated-user/f]",
		}),
		identity("AWSAccount", `{"type":"AWSAccount","principalId":"AIDA","accountId":"2"}`, map[string]any{
			"user.name": absent{}, "user.id": "AIDA", "cloud.account.id": "2",
		}),
		identity("AWSAccount, anonymous", `{"type":"AWSAccount","principalId":"","accountId":"ANONYMOUS_PRINCIPAL"}`, map[string]any{
			"user.id": absent{}, "cloud.account.id": "ANONYMOUS_PRINCIPAL",
		}),
		identity("AWSService", `{"type":"AWSService","invokedBy":"x.amazonaws.com"}`, map[string]any{
			"user.id": absent{}, "cloud.account.id": "999999999999", "aws.cloudtrail.user_identity.invoked_by": "x.amazonaws.com",
		}),
		identity("IdentityCenterUser", `{"type":"IdentityCenterUser","accountId":"1","onBehalfOf":{"userId":"u-1","identityStoreArn":"arn:s"},"credentialId":"c"}`, map[string]any{
			"user.id": "u-1", "entity.id": "[u-1]", "related.entity": "[arn:s]", "aws.cloudtrail.user_identity.on_behalf_of.identity_store_arn": "arn:s",
		}),
		identity("SAMLUser", `{"type":"SAMLUser","principalId":"abc:bob","userName":"bob","identityProvider":"abc"}`, map[string]any{
			"user.name": "bob", "user.id": "abc:bob", "aws.cloudtrail.user_identity.identity_provider": "abc",
		}),
		identity("WebIdentityUser", `{"type":"WebIdentityUser","principalId":"p:system:serviceaccount:n:s","userName":"system:serviceaccount:n:s","identityProvider":"p"}`, map[string]any{
			"user.name": "system:serviceaccount:n:s",
		}),
		identity("Directory", `{"type":"Directory","principalId":"d","userName":"n"}`, map[string]any{"user.name": "n", "user.id": "d"}),
		identity("Unknown", `{"type":"Unknown","principalId":"p","userName":"n"}`, map[string]any{"user.name": "n", "user.id": "p"}),
		identity("a type yet to come", `{"type":"Robot","arn":"arn:aws:ec2:r:1:instance/i-1","userName":"n"}`, map[string]any{
			"user.name": "n", "host.entity.id": "[arn:aws:ec2:r:1:instance/i-1]", "aws.cloudtrail.user_identity.type": "Robot",
		}),
		identity("no type", `{"principalId":"p","userName":"n"}`, map[string]any{"user.name": "n", "user.id": "p"}),
	}
}

// driftShapes have another kind of value than is usual, in both directions.
func driftShapes() []mapped {
	return []mapped{
		{"text for objects", ecs.Config{}, `{"eventName":"X","requestParameters":"a text","responseElements":"r","additionalEventData":"x","serviceEventDetails":"s","userIdentity":"root","resources":"res","tlsDetails":"t","addendum":"a","insightDetails":"i","eventContext":"e"}`, map[string]any{
			"aws.cloudtrail.request_parameters": "a text", flattened + "request_parameters": absent{}, "aws.cloudtrail.service_event_details": "s",
			flattened + "other.userIdentity": "root", flattened + "other.resources": "res", flattened + "other.tlsDetails": "t",
			flattened + "other.insightDetails": "i", flattened + "other.addendum": "a", flattened + "other.eventContext": "e",
		}},
		{"lists for objects", ecs.Config{}, `{"eventName":"X","requestParameters":[{"b":1,"a":2},"x"],"userIdentity":["u"]}`, map[string]any{
			"aws.cloudtrail.request_parameters": "[{a=2, b=1}, x]", flattened + "other.userIdentity": "[u]",
		}},
		{"objects for text", ecs.Config{}, `{"eventName":{"n":"X"},"eventSource":{"s":1},"awsRegion":["r"],"sourceIPAddress":{"ip":"1.2.3.4"},"userAgent":["a","b"],"errorCode":{"c":"d"},"eventID":{"e":1},"managementEvent":{"m":true},"eventVersion":[1]}`, map[string]any{
			"event.action": "{n=X}", "event.provider": "{s=1}", "cloud.region": "[r]", "source.address": "{ip=1.2.3.4}", "source.ip": absent{},
			"user_agent.original": "[a, b]", "aws.cloudtrail.error_code": "{c=d}", "event.id": "{e=1}", "aws.cloudtrail.management_event": "{m=true}",
			"event.type": "[info]",
		}},
		{"numbers and booleans for text", ecs.Config{}, `{"eventName":7,"recipientAccountId":123456789012,"errorCode":true,"userIdentity":{"userName":5,"principalId":false,"type":1}}`, map[string]any{
			"event.action": "7", "cloud.account.id": "123456789012", "aws.cloudtrail.error_code": true, "user.name": "5", "related.user": "[5]", "event.outcome": "failure",
		}},
		{"text for booleans", ecs.Config{}, `{"readOnly":"true","managementEvent":"false","userIdentity":{"sessionContext":{"assumedRoot":"false"}}}`, map[string]any{
			"aws.cloudtrail.read_only": "true", "aws.cloudtrail.management_event": "false", "aws.cloudtrail.user_identity.session_context.assumed_root": "false",
		}},
		{"objects and numbers for booleans and times", ecs.Config{}, `{"readOnly":1,"eventTime":1720000000,"userIdentity":{"sessionContext":{"assumedRoot":{},"attributes":{"creationDate":5}}}}`, map[string]any{
			"aws.cloudtrail.read_only": absent{}, flattened + "other.readOnly": "1", "event.kind": "pipeline_error",
			"@timestamp": "2026-11-21T09:00:00.000Z", "aws.cloudtrail.user_identity.session_context.creation_date": absent{},
		}},
		{"sources that are no address", ecs.Config{}, `{"sourceIPAddress":"AWS Internal/3"}`, map[string]any{"source.address": "AWS Internal/3", "source.ip": absent{}, "related.hosts": absent{}, "event.kind": "event"}},
		{"a source that is a host", ecs.Config{}, `{"sourceIPAddress":"build.example.org"}`, map[string]any{"source.ip": absent{}, "related.hosts": "[build.example.org]"}},
		{"IPv6", ecs.Config{}, `{"sourceIPAddress":"2001:DB8::1"}`, map[string]any{"source.ip": "2001:DB8::1", "related.ip": "[2001:DB8::1]"}},
		{"white space of its own", ecs.Config{}, "{\n  \"eventName\" : \"X\" ,\t\"requestParameters\" : { \"a\" : [ 1 , 2 ] }\r\n}", map[string]any{
			"event.action": "X", "aws.cloudtrail.request_parameters": "{a=[1, 2]}",
		}},
	}
}
