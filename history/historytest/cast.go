// Package historytest is the promise of a history.Search as one reusable test: a cast of records, and queries with the
// events that they must find. Each store runs it over its own server or file.
package historytest

import (
	"fmt"
	"strings"
	"time"
)

// Start is the time of the first record of the cast; each one is a second later than the one before.
func Start() time.Time { return time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC) }

// Records are the cast, in the order of their times. Their eventIDs say what they are.
func Records() []string {
	var records []string
	for i, line := range strings.Split(strings.TrimSpace(cast), "\n") {
		id, rest, _ := strings.Cut(line, " ")
		at := Start().Add(time.Duration(i) * time.Second).Format(time.RFC3339)
		records = append(records, fmt.Sprintf(`{"eventVersion":"1.08","eventID":%q,"eventTime":%q,"recipientAccountId":"111122223333",%s}`,
			id, at, replacer().Replace(rest)))
	}
	return records
}

// replacer spells out what many records have.
func replacer() *strings.Replacer {
	pairs := []string{
		"@alice", `"userIdentity":{"type":"IAMUser","principalId":"AIDAALICE","arn":"arn:aws:iam::111122223333:user/alice","accountId":"111122223333","accessKeyId":"AKIAALICE","userName":"alice"},"sourceIPAddress":"192.0.2.1","awsRegion":"eu-west-1"`,
		"@root", `"userIdentity":{"type":"Root","principalId":"111122223333","arn":"arn:aws:iam::111122223333:root","accountId":"111122223333"},"sourceIPAddress":"192.0.2.9","awsRegion":"us-east-1"`,
		"@bob", `"userIdentity":{"type":"AssumedRole","principalId":"AROAADMIN:bob@example.com","arn":"arn:aws:sts::111122223333:assumed-role/Admin/bob@example.com","accountId":"111122223333","accessKeyId":"ASIABOB1","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAADMIN","arn":"arn:aws:iam::111122223333:role/Admin","accountId":"111122223333","userName":"Admin"},"attributes":{"creationDate":"2026-11-21T10:00:01Z","mfaAuthenticated":"false"}}},"sourceIPAddress":"192.0.2.2","awsRegion":"eu-west-1"`,
		"@other", `"userIdentity":{"type":"AssumedRole","principalId":"AROAADMIN:carol","arn":"arn:aws:sts::111122223333:assumed-role/Admin/carol","accountId":"111122223333","accessKeyId":"ASIACAROL","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAADMIN","arn":"arn:aws:iam::111122223333:role/Admin","accountId":"111122223333","userName":"Admin"},"attributes":{"creationDate":"2026-11-21T10:00:00Z","mfaAuthenticated":"true"}}},"sourceIPAddress":"2001:db8::1","awsRegion":"us-east-1"`,
		"@config", `"userIdentity":{"type":"AWSService","invokedBy":"config.amazonaws.com"},"sourceIPAddress":"config.amazonaws.com","awsRegion":"eu-west-1","eventType":"AwsApiCall"`,
		"@iam", `"eventSource":"iam.amazonaws.com"`,
		"@ec2", `"eventSource":"ec2.amazonaws.com"`,
		"@s3", `"eventSource":"s3.amazonaws.com"`,
		"@sts", `"eventSource":"sts.amazonaws.com"`,
		"@login", `"eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","eventType":"AwsConsoleSignIn"`,
		"@write", `"readOnly":false,"eventType":"AwsApiCall"`,
		"@read", `"readOnly":true,"eventType":"AwsApiCall"`,
		"@denied", `"errorCode":"AccessDenied","errorMessage":"User is not authorized to perform this on resource: arn:aws:s3:::top-secret/plan.txt because no identity-based policy allows it"`,
	}
	return strings.NewReplacer(pairs...)
}

// cast has one record on each line: its id, and what it is made of.
const cast = `
assume-admin @sts,"eventName":"AssumeRole",@alice,@read,"requestParameters":{"roleArn":"arn:aws:iam::111122223333:role/Admin","roleSessionName":"carol"},"responseElements":{"credentials":{"accessKeyId":"ASIACAROL","expiration":"x"},"assumedRoleUser":{"assumedRoleId":"AROAADMIN:carol","arn":"arn:aws:sts::111122223333:assumed-role/Admin/carol"}}
assume-bob @sts,"eventName":"AssumeRoleWithSAML","userIdentity":{"type":"SAMLUser","principalId":"idp:bob","userName":"bob@example.com","identityProvider":"idp"},"sourceIPAddress":"192.0.2.2","awsRegion":"eu-west-1",@read,"responseElements":{"credentials":{"accessKeyId":"ASIABOB0"},"assumedRoleUser":{"assumedRoleId":"AROAADMIN:bob@example.com","arn":"arn:aws:sts::111122223333:assumed-role/Admin/bob@example.com"}}
login-failed @login,"userIdentity":{"type":"IAMUser","accountId":"111122223333","userName":"alice"},"sourceIPAddress":"198.51.100.7","awsRegion":"us-east-1","responseElements":{"ConsoleLogin":"Failure"},"additionalEventData":{"MFAUsed":"No"}
login-hidden @login,"userIdentity":{"type":"IAMUser","accountId":"111122223333","userName":"HIDDEN_DUE_TO_SECURITY_REASONS"},"sourceIPAddress":"198.51.100.7","awsRegion":"us-east-1","errorMessage":"No username found in supplied account","responseElements":{"ConsoleLogin":"Failure"},"additionalEventData":{"MFAUsed":"No"}
login-mfa @login,@alice,"responseElements":{"ConsoleLogin":"Success"},"additionalEventData":{"MFAUsed":"Yes"}
login-plain @login,@alice,"responseElements":{"ConsoleLogin":"Success"},"additionalEventData":{"MFAUsed":"No"}
login-root @login,@root,"responseElements":{"ConsoleLogin":"Success"},"additionalEventData":{"MFAUsed":"YES"}
login-federated @login,@bob,"responseElements":{"ConsoleLogin":"Success"},"additionalEventData":{"MFAUsed":"No","SamlProviderArn":"arn:aws:iam::111122223333:saml-provider/idp"}
check-mfa "eventSource":"signin.amazonaws.com","eventName":"CheckMfa",@alice,"responseElements":{"CheckMfa":"Success"}
root-call @iam,"eventName":"ListUsers",@root,@read
root-service @s3,"eventName":"GetBucketAcl","userIdentity":{"type":"Root","principalId":"111122223333","accountId":"111122223333","invokedBy":"config.amazonaws.com"},"sourceIPAddress":"config.amazonaws.com",@read
root-event "eventSource":"kms.amazonaws.com","eventName":"RotateKey","userIdentity":{"type":"Root","accountId":"111122223333"},"sourceIPAddress":"AWS Internal","eventType":"AwsServiceEvent"
denied-s3 @s3,"eventName":"GetObject",@bob,@read,@denied,"requestParameters":null
denied-ec2 @ec2,"eventName":"TerminateInstances",@other,@write,"errorCode":"Client.UnauthorizedOperation","errorMessage":"You are not authorized. Encoded authorization failure message: abcDEF","requestParameters":{"instancesSet":{"items":[{"instanceId":"i-0aaa"}]}}
throttled @ec2,"eventName":"DescribeInstances",@other,@read,"errorCode":"Client.RequestLimitExceeded","errorMessage":"Request limit exceeded."
account-other @sts,"eventName":"AssumeRole","userIdentity":{"type":"AWSAccount","principalId":"AIDAELSE","accountId":"444455556666"},"sourceIPAddress":"203.0.113.5","awsRegion":"eu-west-1",@read,"sharedEventID":"twin-1","requestParameters":{"roleArn":"arn:aws:iam::111122223333:role/Guest"},"responseElements":{"credentials":{"accessKeyId":"ASIAELSE"}}
delete-trail "eventSource":"cloudtrail.amazonaws.com","eventName":"DeleteTrail",@bob,@write,"requestParameters":{"name":"org-trail"}
delete-failed "eventSource":"cloudtrail.amazonaws.com","eventName":"StopLogging",@bob,@write,"errorCode":"TrailNotFoundException","errorMessage":"Unknown trail","requestParameters":{"name":"no-trail"}
terminate @ec2,"eventName":"TerminateInstances",@alice,@write,"requestParameters":{"instancesSet":{"items":[{"instanceId":"i-0bbb"}]}},"responseElements":{"instancesSet":{"items":[{"instanceId":"i-0bbb"}]}}
delete-key "eventSource":"kms.amazonaws.com","eventName":"ScheduleKeyDeletion",@alice,@write,"requestParameters":{"keyId":"arn:aws:kms:eu-west-1:111122223333:key/k-1"}
schedule-run "eventSource":"scheduler.amazonaws.com","eventName":"ScheduleRun",@alice,@write
expiry @s3,"eventName":"PutBucketLifecycle",@alice,@write,"requestParameters":{"bucketName":"data-bucket"}
no-read-only @s3,"eventName":"DeleteBucket",@alice,"eventType":"AwsApiCall","requestParameters":{"bucketName":"data-bucket"}
create-user @iam,"eventName":"CreateUser",@bob,@write,"requestParameters":{"userName":"mallory"},"responseElements":{"user":{"arn":"arn:aws:iam::111122223333:user/mallory","userName":"mallory"}}
create-key @iam,"eventName":"CreateAccessKey",@bob,@write,"requestParameters":{"userName":"mallory"},"responseElements":{"accessKey":{"accessKeyId":"AKIAMALLORY","userName":"mallory","status":"Active"}}
transfer-user "eventSource":"transfer.amazonaws.com","eventName":"CreateUser",@alice,@write,"requestParameters":{"userName":"ftp"}
attach-admin @iam,"eventName":"AttachUserPolicy",@bob,@write,"requestParameters":{"userName":"mallory","policyArn":"arn:aws:iam::aws:policy/AdministratorAccess"}
attach-other @iam,"eventName":"AttachRolePolicy",@alice,@write,"requestParameters":{"roleName":"App","policyArn":"arn:aws:iam::aws:policy/ReadOnlyAccess"}
put-policy @iam,"eventName":"PutRolePolicy",@alice,@write,"requestParameters":{"roleName":"App","policyName":"inline","policyDocument":"{\"Action\":\"s3:GetObject\",\"Resource\":\"*\"}"}
open-group @ec2,"eventName":"AuthorizeSecurityGroupIngress",@bob,@write,"requestParameters":{"groupId":"sg-0ccc","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":22,"toPort":22,"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"}]}}]}}
own-group @ec2,"eventName":"AuthorizeSecurityGroupIngress",@alice,@write,"requestParameters":{"groupId":"sg-0ccc","ipPermissions":{"items":[{"ipProtocol":"tcp","ipRanges":{"items":[{"cidrIp":"10.0.0.0/8"}]}}]}}
close-group @ec2,"eventName":"RevokeSecurityGroupIngress",@alice,@write,"requestParameters":{"groupId":"sg-0ccc","ipPermissions":{"items":[{"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"}]}}]}}
open-six @ec2,"eventName":"AuthorizeSecurityGroupIngress",@other,@write,"requestParameters":{"groupId":"sg-0ddd","ipPermissions":{"items":[{"ipv6Ranges":{"items":[{"cidrIpv6":"::/0"}]}}]}}
read-groups @ec2,"eventName":"DescribeSecurityGroups",@alice,@read
get-secret "eventSource":"secretsmanager.amazonaws.com","eventName":"GetSecretValue",@bob,@read,"requestParameters":{"secretId":"arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-password"}
decrypt "eventSource":"kms.amazonaws.com","eventName":"Decrypt","userIdentity":{"type":"AssumedRole","principalId":"AROAADMIN:bob@example.com","arn":"arn:aws:sts::111122223333:assumed-role/Admin/bob@example.com","accountId":"111122223333","invokedBy":"secretsmanager.amazonaws.com"},"sourceIPAddress":"secretsmanager.amazonaws.com","awsRegion":"eu-west-1",@read
list-secrets "eventSource":"secretsmanager.amazonaws.com","eventName":"ListSecrets",@bob,@read
share-snapshot @ec2,"eventName":"ModifySnapshotAttribute",@bob,@write,"requestParameters":{"snapshotId":"snap-0eee","createVolumePermission":{"add":{"items":[{"group":"all"}]}}}
unshare-snapshot @ec2,"eventName":"ModifySnapshotAttribute",@alice,@write,"requestParameters":{"snapshotId":"snap-0eee","createVolumePermission":{"remove":{"items":[{"group":"all"}]}}}
bucket-policy @s3,"eventName":"PutBucketPolicy",@bob,@write,"requestParameters":{"bucketName":"data-bucket","bucketPolicy":{"Statement":[{"Effect":"Allow","Principal":"*"}]}}
add-permission "eventSource":"lambda.amazonaws.com","eventName":"AddPermission20150331v2",@alice,@write,"requestParameters":{"functionName":"app","principal":"*"}
console-key "eventSource":"health.amazonaws.com","eventName":"DescribeEvents","userIdentity":{"type":"AssumedRole","principalId":"AROAADMIN:bob@example.com","arn":"arn:aws:sts::111122223333:assumed-role/Admin/bob@example.com","accountId":"111122223333","accessKeyId":"ASIABOB2","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAADMIN","arn":"arn:aws:iam::111122223333:role/Admin","accountId":"111122223333","userName":"Admin"},"attributes":{"creationDate":"2026-11-21T10:00:01Z","mfaAuthenticated":"false"}}},"sourceIPAddress":"192.0.2.2","awsRegion":"eu-west-1",@read,"sessionCredentialFromConsole":"true","userAgent":"Mozilla/5.0 (X11)"
by-config @config,@s3,"eventName":"GetBucketAcl",@read,"sharedEventID":"twin-1","requestID":"0b0c2bc6-0000-4000-8000-0000000000aa"
hostile "eventSource":"x.amazonaws.com","eventName":"'; DROP TABLE event; --",@alice,"userAgent":"<script>alert(1)</script> \" OR 1=1 * \u202e","eventType":"AwsApiCall"
`
