package ecs_test

import (
	"testing"

	"github.com/trailship/trailship/pipeline/ecs"
)

func TestActor(t *testing.T) {
	record := func(identity, rest string) string {
		return `{"eventName":"X","userIdentity":{` + identity + `}` + rest + `}`
	}
	const assumeRole = `,"eventSource":"sts.amazonaws.com","eventName":"AssumeRole"`
	runMapped(t, []mapped{
		{"user", ecs.Config{}, record(`"type":"IAMUser","arn":"arn:aws:iam::1:user/a"`, ""), map[string]any{
			"actor.entity.id": "[arn:aws:iam::1:user/a]", "user.entity.id": "[arn:aws:iam::1:user/a]", "entity.id": absent{},
		}},
		{"service", ecs.Config{}, record(`"type":"AWSService","arn":"a"`, ""), map[string]any{"service.entity.id": "[a]"}},
		{"service-linked role", ecs.Config{}, record(`"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/AWSServiceRoleForX/s"`, ""), map[string]any{
			"service.entity.id": "[arn:aws:sts::1:assumed-role/AWSServiceRoleForX/s]", "user.entity.id": absent{},
		}},
		{"by resource part", ecs.Config{}, record(`"type":"Role","arn":"arn:aws:iam::1:role/a"`, ""), map[string]any{"user.entity.id": "[arn:aws:iam::1:role/a]"}},
		{"instance", ecs.Config{}, record(`"arn":"arn:aws:ec2:r:1:instance/i-1"`, ""), map[string]any{"host.entity.id": "[arn:aws:ec2:r:1:instance/i-1]"}},
		{"nothing known", ecs.Config{}, record(`"arn":"x"`, ""), map[string]any{"entity.id": "[x]"}},
		{"AssumeRole by a service", ecs.Config{}, record(`"type":"AWSService","invokedBy":"x.amazonaws.com"`, assumeRole), map[string]any{"actor.entity.id": "[x.amazonaws.com]"}},
		{"AssumeRole by a role", ecs.Config{}, record(`"type":"AssumedRole","arn":"a","sessionContext":{"sessionIssuer":{"arn":"issuer"}}`, assumeRole), map[string]any{"actor.entity.id": "[issuer]"}},
		{"AssumeRole on behalf", ecs.Config{}, record(`"type":"IdentityCenterUser","onBehalfOf":{"userId":"u"}`, assumeRole), map[string]any{"actor.entity.id": absent{}}},
		{"no event name", ecs.Config{}, `{"userIdentity":{"type":"IAMUser","arn":"a"}}`, map[string]any{"actor.entity.id": absent{}, "related.entity": absent{}}},
	})
}

func TestTargets(t *testing.T) {
	service := func(ids string) map[string]any {
		return map[string]any{"target.entity.id": ids, "service.target.entity.id": ids}
	}
	other := func(ids string) map[string]any {
		return map[string]any{"target.entity.id": ids, "entity.target.id": ids}
	}
	resources := `{"eventName":"PutObject","eventSource":"s3.amazonaws.com","resources":[{"ARN":"arn:aws:s3:::b/k"},{"ARN":"arn:aws:s3:::b"},{"arn":"arn:aws:s3:::lower"}]}`
	response := func(service, event, re string) string {
		return `{"eventName":"` + event + `","eventSource":"` + service + `.amazonaws.com","responseElements":` + re + `}`
	}
	runMapped(t, []mapped{
		{"security group", ecs.Config{}, `{"eventName":"AuthorizeSecurityGroupIngress","eventSource":"ec2.amazonaws.com","requestParameters":{"groupId":"sg-1"},"responseElements":{"securityGroupRuleSet":{"items":[{"securityGroupRuleId":"sgr-2","groupId":"sg-1","referencedGroupInfo":{"groupId":"sg-3"}},{"securityGroupRuleId":"sgr-1"}]}}}`, map[string]any{
			"target.entity.id": "[sg-1 sgr-1 sgr-2]", "service.target.entity.id": "[sg-1 sgr-1 sgr-2]",
			"related.entity": "[sg-1 sg-3 sgr-1 sgr-2]",
		}},
		{"number", ecs.Config{}, entityRecord("", "ec2", "DeleteNetworkAclEntry", `"networkAclId":"acl-1","ruleNumber":100`), map[string]any{
			"target.entity.id": "[100 acl-1]", "entity.target.id": "[100]", "service.target.entity.id": "[acl-1]",
		}},
		{"traffic mirror", ecs.Config{}, response("ec2", "CreateTrafficMirrorSession", `{"CreateTrafficMirrorSessionResponse":{"trafficMirrorSession":{"trafficMirrorSessionId":"tms-1"}}}`), other("[tms-1]")},
		{"access key", ecs.Config{}, response("iam", "CreateAccessKey", `{"accessKey":{"accessKeyId":"AKIA0123456789012345"}}`), map[string]any{
			"target.entity.id": "[AKIA0123456789012345]", "user.target.entity.id": "[AKIA0123456789012345]",
		}},
		{"resources", ecs.Config{}, resources, service("[arn:aws:s3:::b arn:aws:s3:::b/k]")},
		{"account", ecs.Config{}, entityRecord("", "ec2", "DescribeRegions", `"a":1`), other("[999999999999]")},
		{"versioned name", ecs.Config{}, entityRecord("", "lambda", "AddPermission20150331v2", `"functionName":"f"`), other("[f]")},
		{"list", ecs.Config{}, entityRecord("", "monitoring", "DeleteAlarms", `"alarmNames":["b","a","b"]`), other("[a b]")},
		{"list that is none", ecs.Config{}, entityRecord("", "monitoring", "DeleteAlarms", `"alarmNames":{"b":"c"}`), map[string]any{"target.entity.id": absent{}}},
		{"nested", ecs.Config{}, entityRecord("", "ec2", "DeleteFlowLogs", `"DeleteFlowLogsRequest":{"FlowLogId":{"content":"fl-1"}}`), other("[fl-1]")},
		{"command to instances", ecs.Config{}, entityRecord("", "ssm", "SendCommand", `"instanceIds":["i-1"],"targets":[{"values":["x"]}]`), map[string]any{"target.entity.id": "[i-1]", "host.target.entity.id": "[i-1]"}},
		{"command to targets", ecs.Config{}, entityRecord("", "ssm", "SendCommand", `"targets":[{"key":"k","values":["x","y"]},{"values":["z"]}]`), other("[x y z]")},
		{"command to all", ecs.Config{}, entityRecord("", "ssm", "SendCommand", `"instanceIds":["*"]`), other("[999999999999]")},
		{"assumed role", ecs.Config{}, `{"eventName":"AssumeRole","eventSource":"sts.amazonaws.com","sourceIdentity":"si","requestParameters":{"roleArn":"arn:aws:iam::1:role/R","roleSessionName":"rs"},"responseElements":{"assumedRoleUser":{"arn":"au"}},"additionalEventData":{"MFAIdentifier":"mfa"}}`, map[string]any{
			"user.target.entity.id": "[arn:aws:iam::1:role/R]", "related.entity": "[arn:aws:iam::1:role/R au mfa rs si]",
		}},
		{"service-linked role", ecs.Config{}, entityRecord("", "sts", "AssumeRole", `"roleArn":"arn:aws:iam::1:role/aws-service-role/x/AWSServiceRoleForX"`), service("[arn:aws:iam::1:role/aws-service-role/x/AWSServiceRoleForX]")},
		{"other ARN", ecs.Config{}, entityRecord("", "bedrock", "Converse", `"modelId":"arn:aws:bedrock:r:1:inference-profile/x"`), other("[arn:aws:bedrock:r:1:inference-profile/x]")},
		{"ARN with a colon", ecs.Config{}, entityRecord("", "secretsmanager", "GetSecretValue", `"secretId":"arn:aws:secretsmanager:r:1:secret:x"`), service("[arn:aws:secretsmanager:r:1:secret:x]")},
		{"escaped", ecs.Config{}, entityRecord("", "secretsmanager", "GetSecretValue", `"secretId":"arn:aws:secretsmanager:r:1:secret:a\/\"b"`), service(`[arn:aws:secretsmanager:r:1:secret:a/"b]`)},
		{"no rule for the event", ecs.Config{}, entityRecord("", "s3", "Other", `"bucketName":"b"`), map[string]any{"target.entity.id": absent{}, "related.entity": "[arn:aws:x::1:y/z b]"}},
	})
}
