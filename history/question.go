package history

// A Question is something an investigator asks: a query with a name. Its query is shown, so that it can be changed.
type Question struct {
	Name        string // short and lasting, for links and command lines: failed-logins
	Title       string
	Description string // what it finds and what it leaves out, a sentence or two
	Query       Query  // with no time range of its own, except those around an event
	// By are attributes whose frequent values answer it best: who was denied what.
	By []Attribute
}

// Questions are those that need nothing but the events. Questions about one event are its Pivots.
func Questions() []Question {
	all := signInQuestions()
	all = append(all, callerQuestions()...)
	all = append(all, changeQuestions()...)
	return append(all, firstQuestions()...)
}

// FindQuestion returns the question of a name.
func FindQuestion(name string) (Question, bool) {
	for _, q := range Questions() {
		if q.Name == name {
			return q, true
		}
	}
	return Question{}, false
}

func is(a Attribute, values ...string) Filter { return Filter{Attribute: a, Values: values} }
func not(a Attribute, values ...string) Filter {
	return Filter{Attribute: a, Values: values, Not: true}
}

func like(a Attribute, values ...string) Filter {
	return Filter{Attribute: a, Values: values, Glob: true}
}

func ask(filters ...Filter) Query { return Query{Filters: filters} }

const signIn = "signin.amazonaws.com"

func signInQuestions() []Question {
	login := is(EventName, "ConsoleLogin")
	from := is(EventSource, signIn)
	return []Question{
		{
			"failed-logins", "Failed console logins",
			"Sign-ins to the console that failed. AWS hides the name of a user it does not know.",
			ask(from, login, is(OutcomeIs, "failure")),
			[]Attribute{SourceIP, User, Region},
		},
		{
			"logins", "Console logins", "Sign-ins to the console that succeeded.",
			ask(from, login, is(OutcomeIs, "success")),
			[]Attribute{User, SourceIP, MFA},
		},
		{
			"logins-without-mfa", "Console logins without MFA",
			"Successful sign-ins of IAM users and root without a second factor. Federated ones always say No, since their provider asks; they are a question of their own.",
			ask(from, login, is(OutcomeIs, "success"), is(MFA, "false"), is(Identity, "IAMUser", "Root")),
			[]Attribute{User, SourceIP},
		},
		{
			"federated-logins", "Federated console logins",
			"Successful sign-ins through a provider, whose records say nothing about MFA.",
			ask(from, login, is(OutcomeIs, "success"), not(Identity, "IAMUser", "Root")),
			[]Attribute{User, SourceIP},
		},
		{
			"other-sign-ins", "MFA checks, passwords and other sign-ins",
			"What happens around a sign-in: MFA checks, changed and recovered passwords, switched roles, tokens.",
			ask(is(EventName, "CheckMfa", "PasswordUpdated", "PasswordRecoveryRequested", "PasswordRecoveryCompleted", "GetSigninToken",
				"SwitchRole", "ExitRole", "RenewRole", "ExternalIdPDirectoryLogin", "UserAuthentication", "CredentialChallenge",
				"CredentialVerification")),
			[]Attribute{EventName, User, SourceIP},
		},
	}
}

func callerQuestions() []Question {
	return []Question{
		{
			"calls-without-mfa", "Calls without MFA",
			"Calls of sessions that began without a second factor. Long-term keys say nothing about it and are not here.",
			ask(is(MFA, "false"), not(EventName, "ConsoleLogin"), not(Service, "true")),
			[]Attribute{User, EventName},
		},
		{
			"root", "Use of root", "What root itself did; not what AWS's services did in its name.",
			ask(is(Identity, "Root"), Filter{InvokedBy, []string{"*"}, true, true}, not(EventType, "AwsServiceEvent")),
			[]Attribute{EventName, SourceIP, Account},
		},
		{
			"denied", "Access denied, by whom", "Calls for which the caller lacked permission.",
			ask(is(OutcomeIs, "denied")),
			[]Attribute{User, EventSource, EventName},
		},
		{
			"cross-account", "Across accounts",
			"The caller, or a resource, is of another account than the one called.",
			ask(is(TraitIs, TraitCrossAccount)),
			[]Attribute{Account, User, EventName},
		},
	}
}

func changeQuestions() []Question {
	return []Question{
		{
			"deletions", "Deletions", "Changes that succeeded and take something away: deleted, stopped, detached, disabled, revoked.",
			ask(is(ReadOnly, "false"), is(OutcomeIs, "success"), like(EventName, "Delete*", "Terminate*", "Remove*", "Detach*",
				"Deregister*", "Purge*", "Revoke*", "Release*", "Disable*", "Stop*", "Schedule*Deletion", "PutBucketLifecycle*")),
			[]Attribute{User, EventName},
		},
		{
			"new-credentials", "New credentials and users",
			"Ways to get in that were made: users, access keys, passwords, certificates, identity providers, and an MFA device taken away.",
			ask(is(EventSource, "iam.amazonaws.com", "rolesanywhere.amazonaws.com"), is(EventName, "CreateUser", "CreateAccessKey",
				"CreateLoginProfile", "UpdateLoginProfile", "CreateServiceSpecificCredential", "UploadSSHPublicKey", "DeactivateMFADevice",
				"CreateSAMLProvider", "CreateOpenIDConnectProvider", "CreateTrustAnchor")),
			[]Attribute{User, EventName, ResourceName},
		},
		{
			"more-rights", "More rights", "Policies that were attached or changed, and users and roles put where they have more rights.",
			ask(is(EventSource, "iam.amazonaws.com"), like(EventName, "Attach*Policy", "Put*Policy", "CreatePolicyVersion",
				"SetDefaultPolicyVersion", "AddUserToGroup", "UpdateAssumeRolePolicy", "AddRoleToInstanceProfile")),
			[]Attribute{User, EventName, ResourceName},
		},
		{
			"administrators", "Made administrator", "AdministratorAccess was attached to a user, group or role.",
			ask(is(TraitIs, TraitAdmin)),
			[]Attribute{User, ResourceName},
		},
		{
			"security-groups", "Security-group changes", "Security groups and their rules that were made, changed or removed.",
			ask(is(EventSource, "ec2.amazonaws.com"), is(EventName, "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress",
				"RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress", "ModifySecurityGroupRules", "CreateSecurityGroup",
				"DeleteSecurityGroup")),
			[]Attribute{User, ResourceName},
		},
		{
			"open-to-all", "Opened to every address", "Security-group rules for 0.0.0.0/0 or ::/0.",
			ask(is(TraitIs, TraitOpen)),
			[]Attribute{User, ResourceName},
		},
		{
			"log-tampering", "Log tampering", "Trails, recorders, detectors, flow logs and log groups stopped, changed or deleted, and attempts at it.",
			ask(is(EventSource, "cloudtrail.amazonaws.com", "config.amazonaws.com", "guardduty.amazonaws.com", "ec2.amazonaws.com",
				"logs.amazonaws.com", "route53resolver.amazonaws.com"), is(EventName, "StopLogging", "DeleteTrail", "UpdateTrail",
				"PutEventSelectors", "StopConfigurationRecorder", "DeleteConfigurationRecorder", "DeleteDeliveryChannel", "DeleteDetector",
				"DeleteFlowLogs", "DeleteLogGroup", "DeleteLogStream", "DeleteResolverQueryLogConfig")),
			[]Attribute{User, EventName},
		},
		{
			"secrets-read", "Secrets read", "Secrets, parameters and passwords that were read, and what was decrypted. All of these are reads.",
			ask(is(EventSource, "secretsmanager.amazonaws.com", "ssm.amazonaws.com", "ec2.amazonaws.com", "kms.amazonaws.com"),
				is(EventName, "GetSecretValue", "BatchGetSecretValue", "GetParameter", "GetParameters", "GetParametersByPath",
					"GetPasswordData", "Decrypt")),
			[]Attribute{User, ResourceName, EventName},
		},
		{
			"shared", "Made public or shared",
			"Snapshots and images given to other accounts or to all, and changed permissions of buckets and functions.",
			ask(is(TraitIs, TraitShared)),
			[]Attribute{User, ResourceName},
		},
	}
}

func firstQuestions() []Question {
	return []Question{
		{
			"first-calls", "First time this user made this call", "The first event in this store, which begins when it begins, of each user and call.",
			ask(is(First, "call"), not(Service, "true")),
			[]Attribute{User, EventName},
		},
		{
			"first-addresses", "First time this user came from this address", "The first event in this store of each user and address.",
			ask(is(First, "address"), not(Service, "true")),
			[]Attribute{User, SourceIP},
		},
		{
			"first-regions", "First time this user was in this region", "The first event in this store of each user and region.",
			ask(is(First, "region"), not(Service, "true")),
			[]Attribute{User, Region},
		},
	}
}
