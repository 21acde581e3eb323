package ecs

import "bytes"

// rules say where the records of one service name the things they are about. Paths are as collect reads them. The
// integration's own lists; nothing here is guessed. Source: MAPPING section 12.
type rules struct {
	request, response []string // below the two objects, without the leading dot: always related
	others            []string // with the part of the record in front: rp, re, aed, account, resources, sourceIdentity
	targets           []target
}

// target is what one event is done to.
type target struct {
	event    string
	from     []string // paths as in rules.others
	versions bool     // event is part of the name: AddPermission20150331v2
}

// is reports whether the target is that of this action.
func (t *target) is(action []byte) bool {
	return string(action) == t.event || t.versions && bytes.Contains(action, []byte(t.event))
}

// rulesOf is the table by service, nil for a service without rules.
func rulesOf(service []byte) *rules {
	switch string(service) {
	case "ec2":
		return &ec2Rules
	case "iam":
		return &iamRules
	case "sts":
		return &stsRules
	case "s3":
		return &s3Rules
	case "rds":
		return &rdsRules
	case "ssm":
		return &ssmRules
	case "cloudtrail":
		return &cloudtrailRules
	case "config":
		return &configRules
	case "guardduty":
		return &guarddutyRules
	case "kms":
		return &kmsRules
	case "lambda":
		return &lambdaRules
	case "wafv2":
		return &wafRules
	}
	return smallRulesOf(service)
}

// smallRulesOf has the services with a target or two and nothing else.
func smallRulesOf(service []byte) *rules {
	switch string(service) {
	case "cloudformation":
		return &cloudformationRules
	case "ec2-instance-connect":
		return &instanceConnectRules
	case "elasticfilesystem":
		return &efsRules
	case "events":
		return &eventsRules
	case "logs":
		return &logsRules
	case "monitoring":
		return &monitoringRules
	case "rolesanywhere":
		return &rolesAnywhereRules
	case "route53resolver":
		return &resolverRules
	case "secretsmanager":
		return &secretsRules
	case "signin":
		return &signinRules
	case "sns":
		return &snsRules
	case "bedrock":
		return &bedrockRules
	case "elasticloadbalancing":
		return &elbRules
	case "dynamodb":
		return &dynamodbRules
	}
	return nil
}

var ec2Rules = rules{
	request: []string{
		"groupId", "groupName", "roleName", "subnetId", "volumeId", "networkInterfaceId", "vpcId", "snapshotId",
		"groupSet.items[].groupId", "instancesSet.items[].instanceId",
		"revokedSecurityGroupRuleSet.items[].securityGroupRuleId", "revokedSecurityGroupRuleSet.items[].groupId",
	},
	response: []string{
		"groupId", "reservationId", "vpc.vpcId", "vpc.dhcpOptionsId", "snapshotId", "volumeId",
		"securityGroupRuleSet.items[].groupId", "securityGroupRuleSet.items[].referencedGroupInfo.groupId",
		"securityGroupRuleSet.items[].securityGroupRuleId", "groupSet.items[].groupId",
		"instancesSet.items[].subnetId", "instancesSet.items[].vpcId", "instancesSet.items[].instanceId",
		"instancesSet.items[].imageId", "instancesSet.items[].iamInstanceProfile.arn",
		"instancesSet.items[].networkInterfaceSet.items[].networkInterfaceId",
		"instancesSet.items[].networkInterfaceSet.items[].vpcId",
		"instancesSet.items[].networkInterfaceSet.items[].subnetId",
		"instancesSet.items[].networkInterfaceSet.items[].groupSet.items[].groupId",
	},
	targets: []target{
		{event: "AuthorizeSecurityGroupIngress", from: []string{"rp.groupId", "re.securityGroupRuleSet.items[].securityGroupRuleId"}},
		{event: "AuthorizeSecurityGroupEgress", from: []string{"rp.groupId", "re.securityGroupRuleSet.items[].securityGroupRuleId"}},
		{event: "CreateTrafficMirrorFilter", from: []string{"re.CreateTrafficMirrorFilterResponse.trafficMirrorFilter.trafficMirrorFilterId"}},
		{event: "CreateTrafficMirrorFilterRule", from: []string{"re.CreateTrafficMirrorFilterRuleResponse.trafficMirrorFilterRule.trafficMirrorFilterRuleId"}},
		{event: "CreateTrafficMirrorSession", from: []string{"re.CreateTrafficMirrorSessionResponse.trafficMirrorSession.trafficMirrorSessionId"}},
		{event: "CreateTrafficMirrorTarget", from: []string{"re.CreateTrafficMirrorTargetResponse.trafficMirrorTarget.trafficMirrorTargetId"}},
		{event: "DeleteFlowLogs", from: []string{"rp.DeleteFlowLogsRequest.FlowLogId.content"}},
		{event: "DeleteNetworkAcl", from: []string{"rp.networkAclId"}},
		{event: "DeleteNetworkAclEntry", from: []string{"rp.networkAclId", "rp.ruleNumber"}},
		{event: "GetPasswordData", from: []string{"rp.instanceId"}},
		{event: "ModifyImageAttribute", from: []string{"rp.imageId"}},
		{event: "ModifySnapshotAttribute", from: []string{"rp.snapshotId"}},
		{event: "DescribeSecurityGroups", from: account},
		{event: "DescribeNetworkInterfaces", from: account},
		{event: "DescribeRegions", from: account},
		{event: "DescribeVpcs", from: account},
		{event: "DescribeNetworkAcls", from: account},
		{event: "DescribeVolumes", from: account},
	},
}

var (
	account   = []string{"account"}
	resources = []string{"resources"}
)

var iamRules = rules{
	request: []string{"userName", "serialNumber", "accessKeyId", "policyArn", "roleName", "policyName"},
	response: []string{
		"accessKey.userName", "accessKey.accessKeyId", "user.arn", "user.userId", "user.userName", "userId",
		"role.arn", "serialNumber",
	},
	targets: []target{
		{event: "AttachGroupPolicy", from: []string{"rp.groupName"}},
		{event: "AttachRolePolicy", from: []string{"rp.roleName"}},
		{event: "ListAttachedRolePolicies", from: []string{"rp.roleName"}},
		{event: "UpdateAssumeRolePolicy", from: []string{"rp.roleName"}},
		{event: "AttachUserPolicy", from: []string{"rp.policyArn", "rp.userName"}},
		{event: "CreateAccessKey", from: []string{"re.accessKey.accessKeyId", "rp.userName"}},
		{event: "CreateUser", from: []string{"rp.userName"}},
		{event: "DeactivateMFADevice", from: []string{"rp.userName"}},
		{event: "DeleteVirtualMFADevice", from: []string{"rp.serialNumber"}},
		{event: "GetPolicy", from: []string{"rp.policyArn"}},
		{event: "CreatePolicy", from: []string{"re.policy.arn"}},
		{event: "ListRoles", from: account},
		{event: "ListUsers", from: account},
	},
}

var stsRules = rules{
	request:  []string{"roleArn", "roleSessionName"},
	response: []string{"assumedRoleUser.arn", "accessKeyId"},
	others:   []string{"sourceIdentity", "aed.MFAIdentifier"},
	targets: []target{
		{event: "AssumeRole", from: []string{"rp.roleArn"}},
		{event: "GetCallerIdentity", from: account},
	},
}

var s3Rules = rules{
	request: []string{"bucketName"},
	targets: []target{
		{event: "CopyObject", from: resources},
		{event: "PutBucketLogging", from: resources},
		{event: "PutBucketVersioning", from: resources},
		{event: "PutObject", from: resources},
		{event: "GetBucketPolicy", from: resources},
		{event: "ListObjects", from: resources},
		{event: "HeadObject", from: resources},
		{event: "GetObject", from: resources},
		{event: "DeleteObject", from: resources},
		{event: "DeleteBucket", from: resources},
		{event: "PutBucketReplication", from: []string{"resources", "rp.ReplicationConfiguration.Rule.Destination.Bucket"}},
		{event: "ListBuckets", from: account},
	},
}

var rdsRules = rules{
	request: []string{"dBInstanceIdentifier", "dBInstanceArn"},
	response: []string{
		"dBInstanceIdentifier", "dbInstanceArn", "dBSubnetGroup.vpcId", "dBSubnetGroup.subnets[].subnetIdentifier",
		"vpcSecurityGroups[].vpcSecurityGroupId",
	},
	targets: []target{
		{event: "DeleteDBCluster", from: []string{"re.dBClusterArn"}},
		{event: "ModifyDBCluster", from: []string{"re.dBClusterArn"}},
		{event: "StopDBCluster", from: []string{"re.dBClusterArn"}},
		{event: "DeleteDBInstance", from: []string{"re.dBInstanceArn"}},
		{event: "ModifyDBInstance", from: []string{"re.dBInstanceArn"}},
		{event: "StopDBInstance", from: []string{"re.dBInstanceArn"}},
		{event: "RestoreDBInstanceFromDBSnapshot", from: []string{"re.dBInstanceArn"}},
		{event: "RestoreDBInstanceFromS3", from: []string{"re.dBInstanceArn"}},
		{event: "DeleteGlobalCluster", from: []string{"re.globalClusterArn"}},
		{event: "ModifyDBClusterSnapshotAttribute", from: []string{"re.dBClusterSnapshotIdentifier"}},
		{event: "ModifyDBSnapshotAttribute", from: []string{"re.dBSnapshotIdentifier"}},
		{event: "DescribeDBInstances", from: account},
	},
}

var ssmRules = rules{ // SendCommand is in readCommandTargets
	targets: []target{
		{event: "GetParameter", from: resources},
		{event: "GetParameters", from: resources},
		{event: "CreateControlChannel", from: resources},
		{event: "OpenControlChannel", from: resources},
		{event: "StartSession", from: []string{"rp.target"}},
		{event: "CreateDocument", from: []string{"rp.name"}},
		{event: "TerminateSession", from: []string{"rp.sessionId"}},
		{event: "OpenDataChannel", from: []string{"rp.sessionId"}},
		{event: "ListInstanceAssociations", from: account},
	},
}

var cloudtrailRules = rules{
	request: []string{"name", "s3BucketName"},
	response: []string{
		"cloudWatchLogsLogGroupArn", "cloudWatchLogsRoleArn", "kmsKeyId", "snsTopicARN", "trailARN", "name",
	},
	targets: []target{
		{event: "DeleteTrail", from: []string{"rp.name"}},
		{event: "StopLogging", from: []string{"rp.name"}},
		{event: "DescribeTrails", from: account},
	},
}

var configRules = rules{
	request: []string{"configurationRecorderName"},
	targets: []target{
		{event: "StartConfigurationRecorder", from: []string{"rp.configurationRecorderName"}},
		{event: "StopConfigurationRecorder", from: []string{"rp.configurationRecorderName"}},
	},
}

var guarddutyRules = rules{
	request:  []string{"detectorId"},
	response: []string{"detectorId"},
	targets: []target{
		{event: "CreateDetector", from: []string{"re.detectorId"}},
		{event: "DeleteDetector", from: []string{"rp.detectorId"}},
	},
}

var kmsRules = rules{
	request:  []string{"keyId"},
	response: []string{"keyId", "keyMetadata.arn", "keyMetadata.keyId"},
	targets: []target{
		{event: "DisableKey", from: resources},
		{event: "ScheduleKeyDeletion", from: resources},
	},
}

var lambdaRules = rules{
	request: []string{"functionName"},
	response: []string{
		"functionArn", "functionName", "role", "vpcConfig.securityGroupIds[]", "vpcConfig.subnetIds[]",
	},
	targets: []target{
		{event: "AddPermission", from: []string{"rp.functionName"}, versions: true},
		{event: "ListFunctions", from: account, versions: true},
	},
}

var wafRules = rules{
	request:  []string{"id"},
	response: []string{"summary"},
	targets: []target{
		{event: "DeleteRuleGroup", from: []string{"rp.id"}},
		{event: "DeleteWebACL", from: []string{"rp.id"}},
	},
}

var cloudformationRules = rules{targets: []target{
	{event: "CreateStackSet", from: []string{"re.stackSetId"}},
	{event: "CreateStack", from: []string{"re.stackId"}},
}}

var instanceConnectRules = rules{targets: []target{
	{event: "SendSSHPublicKey", from: []string{"rp.instanceId"}},
	{event: "SendSerialConsoleSSHPublicKey", from: []string{"rp.instanceId"}},
}}

var efsRules = rules{targets: []target{
	{event: "DeleteFileSystem", from: []string{"rp.fileSystemId"}},
	{event: "DeleteMountTarget", from: []string{"rp.mountTargetId"}},
}}

var eventsRules = rules{targets: []target{{event: "DeleteRule", from: []string{"rp.name"}}}}

var logsRules = rules{targets: []target{
	{event: "DeleteLogGroup", from: []string{"rp.logGroupName"}},
	{event: "DeleteLogStream", from: []string{"rp.logStreamName"}},
}}

var monitoringRules = rules{targets: []target{{event: "DeleteAlarms", from: []string{"rp.alarmNames[]"}}}}

var rolesAnywhereRules = rules{targets: []target{
	{event: "CreateTrustAnchor", from: []string{"re.trustAnchor.trustAnchorArn"}},
}}

var resolverRules = rules{targets: []target{
	{event: "DeleteResolverQueryLogConfig", from: []string{"re.resolverQueryLogConfig.arn"}},
}}

var secretsRules = rules{targets: []target{
	{event: "BatchGetSecretValue", from: []string{"rp.secretIdList[]"}},
	{event: "GetSecretValue", from: []string{"rp.secretId"}},
}}

var signinRules = rules{targets: []target{{event: "ConsoleLogin", from: account}}}

var snsRules = rules{targets: []target{
	{event: "CreateTopic", from: []string{"re.topicArn"}},
	{event: "Subscribe", from: []string{"rp.topicArn"}},
	{event: "Publish", from: []string{"rp.topicArn"}},
}}

var bedrockRules = rules{targets: []target{{event: "Converse", from: []string{"rp.modelId"}}}}

var elbRules = rules{targets: []target{{event: "DescribeLoadBalancers", from: account}}}

var dynamodbRules = rules{targets: []target{{event: "ListTables", from: account}}}
