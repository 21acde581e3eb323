package ecs

// Fragments of the event object. An event that no category is known for is just info.
const (
	uncategorized = `"type":["info"],`

	iamInfo        = `"category":["iam"],"type":["info"],`
	iamCreation    = `"category":["iam"],"type":["creation"],`
	iamChange      = `"category":["iam"],"type":["change"],`
	groupChange    = `"category":["iam"],"type":["group","change"],`
	groupCreation  = `"category":["iam"],"type":["group","creation"],`
	groupDeletion  = `"category":["iam"],"type":["group","deletion"],`
	groupInfo      = `"category":["iam"],"type":["group","info"],`
	userChange     = `"category":["iam"],"type":["user","change"],`
	userCreation   = `"category":["iam"],"type":["user","creation"],`
	userDeletion   = `"category":["iam"],"type":["user","deletion"],`
	userInfo       = `"category":["iam"],"type":["user","info"],`
	adminCreation  = `"category":["iam"],"type":["admin","creation"],`
	adminChange    = `"category":["iam"],"type":["admin","change"],`
	authentication = `"category":["authentication"],"type":["info"],`
	sessionStart   = `"category":["session"],"type":["start"],`
	sessionEnd     = `"category":["session"],"type":["end"],`
	processStart   = `"category":["process"],"type":["start"],`
	fileCreation   = `"category":["file"],"type":["creation"],`
	fileChange     = `"category":["file"],"type":["change"],`
	fileDeletion   = `"category":["file"],"type":["deletion"],`
	fileInfo       = `"category":["file"],"type":["info"],`
	hostInfo       = `"category":["host"],"type":["info"],`
	networkInfo    = `"category":["network"],"type":["info"],`
	networkAccess  = `"category":["network"],"type":["access"],`
	databaseInfo   = `"category":["database"],"type":["info"],`
	packageInfo    = `"category":["package"],"type":["info"],`
	apiInfo        = `"category":["api"],"type":["info"],`
	configInfo     = `"category":["configuration"],"type":["info"],`
	configCreation = `"category":["configuration"],"type":["creation"],`
	configChange   = `"category":["configuration"],"type":["change"],`
	configDeletion = `"category":["configuration"],"type":["deletion"],`
)

// category is the table of event.category and event.type by event name, whatever the service. It is Elastic's, gaps
// included: rules look for `info` on names that are not in it. Source: MAPPING section 5.
func category(eventName []byte) string {
	switch string(eventName) { // the compiler makes a binary search of it
	case "AddUserToGroup", "AttachGroupPolicy", "DeleteGroupPolicy", "DetachGroupPolicy", "PutGroupPolicy",
		"RemoveUserFromGroup", "UpdateGroup":
		return groupChange
	case "CreateGroup":
		return groupCreation
	case "DeleteGroup":
		return groupDeletion
	case "GetGroup", "GetGroupPolicy", "ListAttachedGroupPolicies", "ListGroupPolicies", "ListGroups":
		return groupInfo
	case "AttachUserPolicy", "ChangePassword", "CreateAccessKey", "CreateVirtualMFADevice", "DeactivateMFADevice",
		"DeleteAccessKey", "DeleteSSHPublicKey", "DeleteUserPermissionsBoundary", "DeleteUserPolicy",
		"DeleteVirtualMFADevice", "DetachUserPolicy", "EnableMFADevice", "PutUserPermissionsBoundary", "PutUserPolicy",
		"TagUser", "UntagUser", "UpdateAccessKey", "UpdateLoginProfile", "UpdateSSHPublicKey", "UpdateUser":
		return userChange
	case "CreateUser":
		return userCreation
	case "DeleteUser":
		return userDeletion
	case "GetUser", "GetUserPolicy", "ListAttachedUserPolicies", "ListGroupsForUser", "ListUserPolicies", "ListUsers",
		"ListUserTags":
		return userInfo
	case "CreateKeyPair":
		return adminCreation
	case "SetDefaultPolicyVersion", "SetSecurityTokenServicePreferences", "UpdateAccountPasswordPolicy", "UpdateRole":
		return adminChange
	case "ListRoles", "GetPolicy", "ListAttachedRolePolicies":
		return iamInfo
	case "CreatePolicy":
		return iamCreation
	case "AttachRolePolicy":
		return iamChange
	case "AssumeRole", "ConsoleLogin", "GetCallerIdentity":
		return authentication
	case "StartSession", "CreateControlChannel", "OpenControlChannel", "CreateDataChannel", "OpenDataChannel":
		return sessionStart
	case "TerminateSession":
		return sessionEnd
	}
	return resourceCategory(eventName)
}

// resourceCategory is the part of the table that is about things rather than about who may do what.
func resourceCategory(eventName []byte) string {
	switch string(eventName) {
	case "SendCommand":
		return processStart
	case "CreateBucket", "CreateDocument":
		return fileCreation
	case "PutObject":
		return fileChange
	case "DeleteBucket", "DeleteObject":
		return fileDeletion
	case "ListBuckets", "ListObjects", "HeadObject", "GetObject":
		return fileInfo
	case "DescribeInstances", "DescribeVolumes", "ListInstanceAssociations":
		return hostInfo
	case "DescribeSecurityGroups", "DescribeNetworkInterfaces", "DescribeVpcs", "DescribeNetworkAcls",
		"DescribeLoadBalancers":
		return networkInfo
	case "AuthorizeSecurityGroupIngress": // but not …Egress
		return networkAccess
	case "ListTables", "DescribeDBInstances":
		return databaseInfo
	case "ListFunctions": // but not the versioned ListFunctions20150331
		return packageInfo
	case "DescribeRegions", "Publish", "Converse":
		return apiInfo
	case "DescribeTrails":
		return configInfo
	case "CreateTopic":
		return configCreation
	case "Subscribe":
		return configChange
	case "DeleteTrail":
		return configDeletion
	}
	return uncategorized
}
