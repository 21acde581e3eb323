package ecs_test

import (
	"slices"
	"strings"
)

// entityTable is MAPPING section 12: always related; then what each event is done to.
var entityTable = map[string][2]string{
	"cloudformation": {"", "CreateStackSet: re.stackSetId; CreateStack: re.stackId"},
	"cloudtrail": {
		"rp.name rp.s3BucketName re.cloudWatchLogsLogGroupArn re.cloudWatchLogsRoleArn re.kmsKeyId re.snsTopicARN re.trailARN re.name",
		"DeleteTrail StopLogging: rp.name; DescribeTrails: account",
	},
	"config":               {"rp.configurationRecorderName", "StartConfigurationRecorder StopConfigurationRecorder: rp.configurationRecorderName"},
	"ec2-instance-connect": {"", "SendSSHPublicKey SendSerialConsoleSSHPublicKey: rp.instanceId"},
	"ec2": {
		"rp.groupId rp.groupName rp.roleName rp.subnetId rp.volumeId rp.networkInterfaceId rp.vpcId rp.snapshotId " +
			"re.groupId re.reservationId re.vpc.vpcId re.vpc.dhcpOptionsId re.snapshotId re.volumeId " +
			"re.securityGroupRuleSet.items.*.groupId re.securityGroupRuleSet.items.*.referencedGroupInfo.groupId re.securityGroupRuleSet.items.*.securityGroupRuleId " +
			"re.groupSet.items.*.groupId rp.groupSet.items.*.groupId rp.instancesSet.items.*.instanceId " +
			"re.instancesSet.items.*.subnetId re.instancesSet.items.*.vpcId re.instancesSet.items.*.instanceId re.instancesSet.items.*.imageId re.instancesSet.items.*.iamInstanceProfile.arn " +
			"re.instancesSet.items.*.networkInterfaceSet.items.*.networkInterfaceId re.instancesSet.items.*.networkInterfaceSet.items.*.vpcId re.instancesSet.items.*.networkInterfaceSet.items.*.subnetId " +
			"re.instancesSet.items.*.networkInterfaceSet.items.*.groupSet.items.*.groupId " +
			"rp.revokedSecurityGroupRuleSet.items.*.securityGroupRuleId rp.revokedSecurityGroupRuleSet.items.*.groupId",
		"AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress: rp.groupId re.securityGroupRuleSet.items.*.securityGroupRuleId; " +
			"CreateTrafficMirrorFilter: re.CreateTrafficMirrorFilterResponse.trafficMirrorFilter.trafficMirrorFilterId; " +
			"CreateTrafficMirrorFilterRule: re.CreateTrafficMirrorFilterRuleResponse.trafficMirrorFilterRule.trafficMirrorFilterRuleId; " +
			"CreateTrafficMirrorSession: re.CreateTrafficMirrorSessionResponse.trafficMirrorSession.trafficMirrorSessionId; " +
			"CreateTrafficMirrorTarget: re.CreateTrafficMirrorTargetResponse.trafficMirrorTarget.trafficMirrorTargetId; " +
			"DeleteFlowLogs: rp.DeleteFlowLogsRequest.FlowLogId.content; DeleteNetworkAcl: rp.networkAclId; " +
			"DeleteNetworkAclEntry: rp.networkAclId rp.ruleNumber; GetPasswordData: rp.instanceId; ModifyImageAttribute: rp.imageId; " +
			"ModifySnapshotAttribute: rp.snapshotId; DescribeSecurityGroups DescribeNetworkInterfaces DescribeRegions DescribeVpcs DescribeNetworkAcls DescribeVolumes: account",
	},
	"elasticfilesystem": {"", "DeleteFileSystem: rp.fileSystemId; DeleteMountTarget: rp.mountTargetId"},
	"events":            {"", "DeleteRule: rp.name"},
	"guardduty":         {"rp.detectorId re.detectorId", "CreateDetector: re.detectorId; DeleteDetector: rp.detectorId"},
	"iam": {
		"rp.userName rp.serialNumber rp.accessKeyId rp.policyArn rp.roleName rp.policyName " +
			"re.accessKey.userName re.accessKey.accessKeyId re.user.arn re.user.userId re.user.userName re.userId re.role.arn re.serialNumber",
		"AttachGroupPolicy: rp.groupName; AttachRolePolicy ListAttachedRolePolicies UpdateAssumeRolePolicy: rp.roleName; " +
			"AttachUserPolicy: rp.policyArn rp.userName; CreateAccessKey: re.accessKey.accessKeyId rp.userName; " +
			"CreateUser DeactivateMFADevice: rp.userName; DeleteVirtualMFADevice: rp.serialNumber; GetPolicy: rp.policyArn; " +
			"CreatePolicy: re.policy.arn; ListRoles ListUsers: account",
	},
	"kms":        {"rp.keyId re.keyId re.keyMetadata.arn re.keyMetadata.keyId", "DisableKey ScheduleKeyDeletion: resources"},
	"lambda":     {"rp.functionName re.functionArn re.functionName re.role re.vpcConfig.securityGroupIds.* re.vpcConfig.subnetIds.*", "~AddPermission: rp.functionName; ~ListFunctions: account"},
	"logs":       {"", "DeleteLogGroup: rp.logGroupName; DeleteLogStream: rp.logStreamName"},
	"monitoring": {"", "DeleteAlarms: rp.alarmNames.*"},
	"rds": {
		"rp.dBInstanceIdentifier rp.dBInstanceArn re.dBInstanceIdentifier re.dbInstanceArn re.dBSubnetGroup.vpcId " +
			"re.dBSubnetGroup.subnets.*.subnetIdentifier re.vpcSecurityGroups.*.vpcSecurityGroupId",
		"DeleteDBCluster ModifyDBCluster StopDBCluster: re.dBClusterArn; " +
			"DeleteDBInstance ModifyDBInstance StopDBInstance RestoreDBInstanceFromDBSnapshot RestoreDBInstanceFromS3: re.dBInstanceArn; " +
			"DeleteGlobalCluster: re.globalClusterArn; ModifyDBClusterSnapshotAttribute: re.dBClusterSnapshotIdentifier; " +
			"ModifyDBSnapshotAttribute: re.dBSnapshotIdentifier; DescribeDBInstances: account",
	},
	"rolesanywhere":   {"", "CreateTrustAnchor: re.trustAnchor.trustAnchorArn"},
	"route53resolver": {"", "DeleteResolverQueryLogConfig: re.resolverQueryLogConfig.arn"},
	"s3": {"rp.bucketName", "CopyObject PutBucketLogging PutBucketVersioning PutObject GetBucketPolicy ListObjects HeadObject GetObject DeleteObject DeleteBucket: resources; " +
		"PutBucketReplication: resources rp.ReplicationConfiguration.Rule.Destination.Bucket; ListBuckets: account"},
	"secretsmanager": {"", "BatchGetSecretValue: rp.secretIdList.*; GetSecretValue: rp.secretId"},
	"signin":         {"", "ConsoleLogin: account"},
	"ssm": {"", "GetParameter GetParameters CreateControlChannel OpenControlChannel: resources; StartSession: rp.target; " +
		"CreateDocument: rp.name; TerminateSession OpenDataChannel: rp.sessionId; ListInstanceAssociations: account"},
	"sts": {
		"rp.roleArn rec.sourceIdentity aed.MFAIdentifier re.assumedRoleUser.arn rp.roleSessionName re.accessKeyId",
		"AssumeRole: rp.roleArn; GetCallerIdentity: account",
	},
	"wafv2":                {"rp.id re.summary", "DeleteRuleGroup DeleteWebACL: rp.id"},
	"sns":                  {"", "CreateTopic: re.topicArn; Subscribe Publish: rp.topicArn"},
	"bedrock":              {"", "Converse: rp.modelId"},
	"elasticloadbalancing": {"", "DescribeLoadBalancers: account"},
	"dynamodb":             {"", "ListTables: account"},
}

// entities is MAPPING section 12.
func (m *mapper) entities() {
	if m.rec.of["eventName"] == nil {
		return
	}
	who := m.rec.of["userIdentity"]
	kind, _ := get(who, "type").(string)
	actor := m.actor(who, kind)
	m.set("actor.entity.id", one(actor))
	if actor != "" {
		m.set(actorField(actor, kind), one(actor))
	}
	issuer := get(who, "sessionContext", "sessionIssuer")
	var all words
	all.add(word(get(who, "accessKeyId")), word(get(who, "arn")), word(get(who, "userName")), word(get(issuer, "arn")), word(get(issuer, "userName")))
	all.add(m.at("resources")...)
	if kind == "IdentityCenterUser" {
		all.add(word(get(who, "onBehalfOf", "identityStoreArn")))
	}
	table := entityTable[m.service]
	for path := range strings.FieldsSeq(table[0]) {
		all.add(m.at(path)...)
	}
	targets := m.targets(table[1])
	typed := map[string]words{}
	for _, v := range targets {
		all.add(v.(string))
		field := targetField(v.(string))
		typed[field] = append(typed[field], v)
	}
	all.sort()
	m.set("related.entity", []any(all))
	m.set("target.entity.id", []any(targets))
	for field, list := range typed {
		m.set(field, []any(list))
	}
}

func one(s string) any {
	if s == "" {
		return nil
	}
	return []any{s}
}

func (m *mapper) actor(who any, kind string) string {
	arn := word(get(who, "arn"))
	if m.service == "sts" && m.action == "AssumeRole" {
		switch kind {
		case "AWSService":
			return word(get(who, "invokedBy"))
		case "AssumedRole":
			return word(get(who, "sessionContext", "sessionIssuer", "arn"))
		}
		return arn
	}
	if get(who, "arn") == nil && !(m.service == "sts" && m.action == "GetCallerIdentity") {
		return word(get(who, "onBehalfOf", "userId"))
	}
	return arn
}

func isLinked(s string) bool {
	return strings.Contains(s, "/AWSServiceRoleFor") || strings.Contains(s, "/aws-service-role/")
}

// arnParts are the service and the kind of resource of an ARN.
func arnParts(s string) (service, resource string, ok bool) {
	parts := strings.Split(s, ":")
	if len(parts) < 6 || parts[0] != "arn" {
		return "", "", false
	}
	resource, _, _ = strings.Cut(parts[5], "/")
	return parts[2], resource, true
}

func actorField(s, kind string) string {
	_, resource, _ := arnParts(s)
	switch {
	case kind == "AWSService" || isLinked(s):
		return "service.entity.id"
	case kind == "IAMUser" || kind == "Root" || kind == "AssumedRole":
		return "user.entity.id"
	case in(resource, "user role assumed-role federated-user"):
		return "user.entity.id"
	case resource == "instance" || strings.HasPrefix(s, "i-"):
		return "host.entity.id"
	}
	return "entity.id"
}

func in(s, list string) bool {
	return slices.Contains(strings.Fields(list), s)
}

func targetField(s string) string {
	if service, resource, ok := arnParts(s); ok {
		switch {
		case isLinked(s):
			return "service.target.entity.id"
		case in(resource, "user role assumed-role federated-user instance-profile mfa serialNumber"):
			return "user.target.entity.id"
		case resource == "instance":
			return "host.target.entity.id"
		case service == "s3", in(resource, "stack stack-set trail configuration-recorder file-system mount-target rule detector key function "+
			"log-group log-stream alarm db cluster global-cluster trust-anchor resolver-query-log-config secret parameter document session webacl "+
			"rulegroup ipset topic model loadbalancer table group policy security-group network-interface vpc subnet network-acl dhcp-options"):
			return "service.target.entity.id"
		}
		return "entity.target.id"
	}
	prefix, _, dash := strings.Cut(s, "-")
	switch {
	case len(s) == 20 && strings.HasPrefix(s, "AKIA"):
		return "user.target.entity.id"
	case dash && prefix == "i":
		return "host.target.entity.id"
	case dash && in(prefix, "sg sgr eni vpc subnet acl rtb igw nat vpce tgw pcx"):
		return "service.target.entity.id"
	}
	return "entity.target.id"
}

func (m *mapper) targets(table string) words {
	var list words
	for row := range strings.SplitSeq(table, "; ") {
		names, paths, _ := strings.Cut(row, ": ")
		part, isPart := strings.CutPrefix(names, "~")
		if !in(m.action, names) && !(isPart && strings.Contains(m.action, part)) {
			continue
		}
		for path := range strings.FieldsSeq(paths) {
			list.add(m.at(path)...)
		}
	}
	if m.service == "ssm" && m.action == "SendCommand" {
		list.add(m.at("rp.instanceIds.*")...)
		if len(list) == 0 {
			list.add(m.at("rp.targets.*.values.*")...)
		}
		if len(list) == 1 && list[0] == "*" {
			list = nil
			list.add(word(m.recipient()))
		}
	}
	list.sort()
	return list
}

// at is what a path of the table leads to.
func (m *mapper) at(path string) []string {
	switch path {
	case "account":
		return []string{word(m.recipient())}
	case "resources":
		var list []string
		for _, v := range elements(m.rec.of["resources"]) {
			list = append(list, word(get(v, "ARN")))
		}
		return list
	}
	parts := strings.Split(path, ".")
	from := map[string]any{"rec": m.rec, "rp": m.rec.of["requestParameters"], "re": m.rec.of["responseElements"], "aed": m.rec.of["additionalEventData"]}
	return wordsAt(from[parts[0]], parts[1:])
}

func wordsAt(v any, path []string) []string {
	if len(path) == 0 {
		return []string{word(v)}
	}
	if path[0] != "*" {
		return wordsAt(get(v, path[0]), path[1:])
	}
	var list []string
	for _, m := range elements(v) {
		list = append(list, wordsAt(m, path[1:])...)
	}
	return list
}

// others is what Elastic drops and we keep.
func (m *mapper) others() {
	const mapped = "eventVersion userIdentity eventTime eventSource eventName awsRegion sourceIPAddress userAgent errorCode errorMessage " +
		"requestParameters responseElements additionalEventData requestID eventID eventId eventType apiVersion managementEvent readOnly " +
		"resources recipientAccountId recipientAccountID serviceEventDetails sharedEventID sharedEventId vpcEndpointId vpcEndpointAccountId " +
		"eventCategory addendum sessionCredentialFromConsole tlsDetails insightDetails eventContext"
	other := &jsonObject{of: map[string]any{}}
	for _, key := range m.rec.keys {
		v := m.rec.of[key]
		_, isObject := v.(*jsonObject)
		_, isList := v.([]any)
		dropped := !in(key, mapped)
		switch key {
		case "userIdentity", "addendum", "tlsDetails", "insightDetails", "eventContext":
			dropped = !isObject
		case "resources":
			dropped = !isObject && !isList || unfitReference(v)
		case "readOnly":
			dropped = !isYesNo(v)
		case "eventId", "recipientAccountID", "sharedEventId":
			dropped = m.rec.of[map[string]string{"eventId": "eventID", "recipientAccountID": "recipientAccountId", "sharedEventId": "sharedEventID"}[key]] != nil
		}
		if _, isDigest := digestKeys[key]; isDigest && m.rec.of["eventName"] == nil {
			dropped = false
		}
		if dropped {
			other.put(key, v)
		}
	}
	if len(other.keys) > 0 {
		m.flat("aws.cloudtrail.flattened.other", other)
	}
}

// event is MAPPING sections 5, 6 and 14, and the record's own text.
func (m *mapper) event(raw string) {
	m.set("event.type", []any{"info"})
	for row := range strings.SplitSeq(strings.TrimSpace(categoryTable), "\n") {
		columns := strings.Split(row, "|")
		if in(m.action, columns[2]) {
			m.set("event.category", []any{columns[0]})
			var types []any
			for t := range strings.FieldsSeq(columns[1]) {
				types = append(types, t)
			}
			m.set("event.type", types)
		}
	}
	m.set("event.outcome", "success")
	if m.rec.of["errorCode"] != nil || m.rec.of["errorMessage"] != nil {
		m.set("event.outcome", "failure")
	}
	if login := word(get(m.rec, "responseElements", "ConsoleLogin")); login != "" && m.action == "ConsoleLogin" {
		m.set("event.outcome", lowered(login))
	}
	m.set("event.kind", "event")
	tags := []any{"forwarded", "aws-cloudtrail"}
	if len(m.errors) > 0 {
		m.set("event.kind", "pipeline_error")
		m.set("error.message", m.errors)
	}
	if len(m.errors) > 0 || m.cfg.KeepOriginal {
		m.set("event.original", raw)
		tags = append(tags, "preserve_original_event")
	}
	m.set("tags", tags)
}

const categoryTable = `
iam|group change|AddUserToGroup AttachGroupPolicy DeleteGroupPolicy DetachGroupPolicy PutGroupPolicy RemoveUserFromGroup UpdateGroup
iam|group creation|CreateGroup
iam|group deletion|DeleteGroup
iam|group info|GetGroup GetGroupPolicy ListAttachedGroupPolicies ListGroupPolicies ListGroups
iam|user change|AttachUserPolicy ChangePassword CreateAccessKey CreateVirtualMFADevice DeactivateMFADevice DeleteAccessKey DeleteSSHPublicKey DeleteUserPermissionsBoundary DeleteUserPolicy DeleteVirtualMFADevice DetachUserPolicy EnableMFADevice PutUserPermissionsBoundary PutUserPolicy TagUser UntagUser UpdateAccessKey UpdateLoginProfile UpdateSSHPublicKey UpdateUser
iam|user creation|CreateUser
iam|user deletion|DeleteUser
iam|user info|GetUser GetUserPolicy ListAttachedUserPolicies ListGroupsForUser ListUserPolicies ListUsers ListUserTags
iam|admin creation|CreateKeyPair
iam|admin change|SetDefaultPolicyVersion SetSecurityTokenServicePreferences UpdateAccountPasswordPolicy UpdateRole
iam|info|ListRoles GetPolicy ListAttachedRolePolicies
iam|creation|CreatePolicy
iam|change|AttachRolePolicy
authentication|info|AssumeRole ConsoleLogin GetCallerIdentity
session|start|StartSession CreateControlChannel OpenControlChannel CreateDataChannel OpenDataChannel
session|end|TerminateSession
process|start|SendCommand
file|creation|CreateBucket CreateDocument
file|change|PutObject
file|deletion|DeleteBucket DeleteObject
file|info|ListBuckets ListObjects HeadObject GetObject
host|info|DescribeInstances DescribeVolumes ListInstanceAssociations
network|info|DescribeSecurityGroups DescribeNetworkInterfaces DescribeVpcs DescribeNetworkAcls DescribeLoadBalancers
network|access|AuthorizeSecurityGroupIngress
database|info|ListTables DescribeDBInstances
package|info|ListFunctions
api|info|DescribeRegions Publish Converse
configuration|info|DescribeTrails
configuration|creation|CreateTopic
configuration|change|Subscribe
configuration|deletion|DeleteTrail
`
