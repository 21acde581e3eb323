package history_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// event is what is shown of a record.
func event(t *testing.T, record string) history.Event {
	t.Helper()
	var r cloudtrail.Record
	if err := r.Parse([]byte(record)); err != nil {
		t.Fatal(err)
	}
	return history.Describe(&r).Event
}

func TestEvent_user(t *testing.T) {
	for _, tc := range []struct{ name, identity, want string }{
		{"root", `{"type":"Root","principalId":"1","userName":"alias"}`, "root"},
		{"IAM user", `{"type":"IAMUser","userName":"alice"}`, "alice"},
		{"session by ARN", `{"type":"AssumedRole","principalId":"AROA:x","arn":"arn:aws:sts::1:assumed-role/R/bob","sessionContext":{"sessionIssuer":{"userName":"R"}}}`, "bob"},
		{"session by principal", `{"type":"AssumedRole","principalId":"AROA:carol"}`, "carol"},
		{"session of China", `{"type":"AssumedRole","arn":"arn:aws-cn:sts::1:assumed-role/R/dan"}`, "dan"},
		{"role without a session", `{"type":"AssumedRole","sessionContext":{"sessionIssuer":{"userName":"R"}}}`, "R"},
		{"federated user", `{"type":"FederatedUser","principalId":"1:eve","arn":"arn:aws:sts::1:federated-user/eve","sessionContext":{"sessionIssuer":{"userName":"maker"}}}`, "eve"},
		{"service", `{"type":"AWSService","invokedBy":"ec2.amazonaws.com"}`, "ec2.amazonaws.com"},
		{"service without a type", `{"accountId":"1","invokedBy":"s3.amazonaws.com"}`, "s3.amazonaws.com"},
		{"other account", `{"type":"AWSAccount","principalId":"AIDA9","accountId":"9"}`, "AIDA9"},
		{"anonymous", `{"type":"AWSAccount","principalId":"","accountId":"ANONYMOUS_PRINCIPAL"}`, "ANONYMOUS_PRINCIPAL"},
		{"web identity", `{"type":"WebIdentityUser","userName":"system:serviceaccount:a:b"}`, "system:serviceaccount:a:b"},
		{"identity centre", `{"type":"IdentityCenterUser","onBehalfOf":{"userId":"u-1"}}`, "u-1"},
		{"nobody", `null`, ""},
		{"text", `"odd"`, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := event(t, `{"eventID":"a","userIdentity":`+tc.identity+`}`).User; got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
	sign := `{"eventID":"a","eventName":"UserAuthentication","userIdentity":{"type":"IdentityCenterUser","onBehalfOf":{"userId":"u-1"}},"additionalEventData":{"UserName":"alice"}}`
	if got := event(t, sign).User; got != "alice" {
		t.Errorf("sign-in: got %q, want alice", got)
	}
}

func TestEvent_outcome(t *testing.T) {
	type result struct {
		Outcome         history.Outcome
		Code, Why, Word string
	}
	for _, tc := range []struct {
		name, record string
		want         result
	}{
		{"nothing said", `"eventName":"A"`, result{Outcome: history.Success, Word: "success"}},
		{"error code", `"errorCode":"NoSuchBucket","errorMessage":"gone"`, result{history.Failure, "NoSuchBucket", "NoSuchBucket: gone", "failure"}},
		{"message only", `"errorMessage":"no"`, result{history.Failure, "", "no", "failure"}},
		{"throttled is not denied", `"errorCode":"ThrottlingException"`, result{history.Failure, "ThrottlingException", "ThrottlingException", "failure"}},
		{"denied", `"errorCode":"AccessDeniedException"`, result{history.Denied, "AccessDeniedException", "AccessDeniedException", "denied"}},
		{"denied by EC2", `"errorCode":"Client.UnauthorizedOperation"`, result{history.Denied, "Client.UnauthorizedOperation", "Client.UnauthorizedOperation", "denied"}},
		{"denied by SNS", `"errorCode":"AuthorizationError"`, result{history.Denied, "AuthorizationError", "AuthorizationError", "denied"}},
		{"login", `"eventName":"ConsoleLogin","responseElements":{"ConsoleLogin":"Success"}`, result{Outcome: history.Success, Word: "success"}},
		{"failed login without an error", `"eventName":"ConsoleLogin","responseElements":{"ConsoleLogin":"Failure"}`, result{history.Failure, "", "Failure", "failure"}},
		{"failed login", `"eventName":"ConsoleLogin","errorMessage":"Failed authentication","responseElements":{"ConsoleLogin":"Failure"}`, result{history.Failure, "", "Failed authentication", "failure"}},
		{"another event with such a response", `"eventName":"X","responseElements":{"ConsoleLogin":"Failure"}`, result{Outcome: history.Success, Word: "success"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := event(t, `{"eventID":"a",`+tc.record+`}`)
			if got := (result{e.Outcome, e.ErrorCode, e.Reason, e.Outcome.String()}); got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestEvent_session(t *testing.T) {
	for _, tc := range []struct{ name, identity, want string }{
		{"console", `{"principalId":"AROA:x","accessKeyId":"ASIA1","sessionContext":{"attributes":{"creationDate":"2026-11-21T09:00:00Z"}}}`, "AROA:x 2026-11-21T09:00:00Z"},
		{"long-term key", `{"principalId":"AIDA","accessKeyId":"AKIA1"}`, "AKIA1"},
		{"on behalf of", `{"principalId":"AROA:x","invokedBy":"a.amazonaws.com","sessionContext":{"attributes":{"creationDate":"2026-11-21T09:00:00Z"}}}`, ""},
		{"none", `{"type":"AWSService"}`, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := event(t, `{"eventID":"a","userIdentity":`+tc.identity+`}`).Session; got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestEvent_readOnly(t *testing.T) {
	for text, want := range map[string]bool{`true`: true, `"True"`: true, `false`: false, `"false"`: false, `null`: false, `1`: false} {
		if got := event(t, `{"eventID":"a","readOnly":`+text+`}`).ReadOnly; got != want {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
}

func TestEvent_resources(t *testing.T) {
	type list = []history.Resource
	for _, tc := range []struct {
		name, record string
		want         list
	}{
		{
			"what AWS lists of a RunInstances",
			`"eventSource":"ec2.amazonaws.com","eventName":"RunInstances",
			"requestParameters":{"instancesSet":{"items":[{"imageId":"ami-1","keyName":"my-key","minCount":1}]},
				"groupSet":{"items":[{"groupId":"sg-1"}]},"subnetId":"subnet-1","instanceType":"t2.micro"},
			"responseElements":{"reservationId":"r-1","ownerId":"111122223333","instancesSet":{"items":[{"instanceId":"i-1","imageId":"ami-1",
				"keyName":"my-key","subnetId":"subnet-1","vpcId":"vpc-1","groupSet":{"items":[{"groupId":"sg-1","groupName":"default"}]},
				"networkInterfaceSet":{"items":[{"networkInterfaceId":"eni-1","subnetId":"subnet-1","vpcId":"vpc-1"}]}}]}}`,
			list{
				{"AWS::EC2::Ami", "ami-1"},
				{"AWS::EC2::Instance", "i-1"},
				{"AWS::EC2::KeyPair", "my-key"},
				{"AWS::EC2::NetworkInterface", "eni-1"},
				{"AWS::EC2::SecurityGroup", "default"},
				{"AWS::EC2::SecurityGroup", "sg-1"},
				{"AWS::EC2::Subnet", "subnet-1"},
				{"AWS::EC2::VPC", "vpc-1"},
			},
		},
		{
			"the record's own, in all spellings",
			`"resources":[{"ARN":"arn:aws:s3:::a","type":"AWS::S3::Bucket"},{"ARNPrefix":"arn:aws:s3:::a/","type":"AWS::S3::Object"},
				{"arn":"arn:aws:ssm:eu-west-1:1:parameter/p"},"arn:aws:kms:eu-west-1:1:key/k",{"accountId":"1"},7]`,
			list{{"AWS::KMS::Key", "arn:aws:kms:eu-west-1:1:key/k"}, {"AWS::S3::Bucket", "arn:aws:s3:::a"}, {"AWS::S3::Object", "arn:aws:s3:::a/"}, {"AWS::SSM::Parameter", "arn:aws:ssm:eu-west-1:1:parameter/p"}},
		},
		{
			"a user by name and ARN",
			`"eventSource":"iam.amazonaws.com","eventName":"CreateUser","requestParameters":{"userName":"bob"},"responseElements":{"user":{"arn":"arn:aws:iam::1:user/bob","userName":"bob","userId":"AIDA"}}`,
			list{{"AWS::IAM::User", "arn:aws:iam::1:user/bob"}, {"AWS::IAM::User", "bob"}},
		},
		{
			"what a denial names",
			`"eventSource":"s3.amazonaws.com","eventName":"ListBuckets","errorCode":"AccessDenied","requestParameters":null,
			"errorMessage":"User: arn:aws:iam::1:user/bob is not authorized to perform: s3:GetObject on resource: \"arn:aws:s3:::top/secret\" because no"`,
			list{{"AWS::S3::Object", "arn:aws:s3:::top/secret"}},
		},
		{
			"an ARN in a policy is none",
			`"eventSource":"iam.amazonaws.com","requestParameters":{"policyDocument":"{\"Resource\":\"arn:aws:s3:::x\"}"}`,
			nil,
		},
		{
			"letters that only look like an id",
			`"eventSource":"ec2.amazonaws.com","requestParameters":{"description":"i-am text","dryRunId":"i-2"}`,
			list{{"AWS::EC2::Instance", "i-2"}},
		},
		{"an ARN of a service unknown here", `"requestParameters":{"thing":"arn:aws:new:eu-west-1:1:thing/x"}`, list{{"", "arn:aws:new:eu-west-1:1:thing/x"}}},
		{
			"details of a service's own event",
			`"eventSource":"secretsmanager.amazonaws.com","additionalEventData":{"ARN":"arn:aws:secretsmanager:eu-west-1:1:secret:s","MFAIdentifier":"arn:aws:iam::1:mfa/a"},
			"serviceEventDetails":{"snapshotId":"snap-1","associationId":"vpc-cidr-assoc-1"}`,
			list{{"AWS::EC2::Snapshot", "snap-1"}, {"AWS::SecretsManager::Secret", "arn:aws:secretsmanager:eu-west-1:1:secret:s"}},
		},
		{"a parameter", `"eventSource":"ssm.amazonaws.com","eventName":"GetParameters","requestParameters":{"names":["/a","/b"]}`, list{{"AWS::SSM::Parameter", "/a"}, {"AWS::SSM::Parameter", "/b"}}},
		{"a document", `"eventSource":"ssm.amazonaws.com","eventName":"CreateDocument","requestParameters":{"name":"d"}`, list{{"AWS::SSM::Document", "d"}}},
		{"nothing", `"requestParameters":{"a":[1,null,true,{"b":"c"}]}`, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := event(t, `{"eventID":"a",`+tc.record+`}`).Resources
			byName := cmpopts.SortSlices(func(a, b history.Resource) bool { return a.Type+a.Name < b.Type+b.Name })
			if diff := cmp.Diff(tc.want, got, byName, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("resources (-want +got):\n%s", diff)
			}
		})
	}
}
