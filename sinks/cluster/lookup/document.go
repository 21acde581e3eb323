package lookup

import "encoding/json"

// plain is the text of a JSON string or number, "" of anything else.
func plain(raw json.RawMessage) string {
	if len(raw) == 0 || raw[0] == '{' || raw[0] == '[' || raw[0] == 'n' {
		return ""
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return string(raw)
	}
	return text
}

// quoted is a text as JSON, nil for "".
func quoted(text string) json.RawMessage {
	if text == "" {
		return nil
	}
	raw, err := json.Marshal(text)
	if err != nil {
		return nil
	}
	return raw
}

// document is what is read of an ECS document. Leaves stay JSON: most of them go into a record as they are.
type document struct {
	Timestamp json.RawMessage `json:"@timestamp"`
	Event     struct {
		ID       json.RawMessage `json:"id"`
		Action   json.RawMessage `json:"action"`
		Provider json.RawMessage `json:"provider"`
		Outcome  json.RawMessage `json:"outcome"`
		Original string          `json:"original"`
	} `json:"event"`
	Cloud struct {
		Region  json.RawMessage `json:"region"`
		Account identified      `json:"account"`
	} `json:"cloud"`
	Source struct {
		Address json.RawMessage `json:"address"`
	} `json:"source"`
	UserAgent struct {
		Original json.RawMessage `json:"original"`
	} `json:"user_agent"`
	User struct {
		ID   json.RawMessage `json:"id"`
		Name json.RawMessage `json:"name"`
	} `json:"user"`
	TLS struct {
		Version  json.RawMessage `json:"version"`
		Protocol json.RawMessage `json:"version_protocol"`
		Cipher   json.RawMessage `json:"cipher"`
		Client   struct {
			ServerName json.RawMessage `json:"server_name"`
		} `json:"client"`
	} `json:"tls"`
	AWS struct {
		CloudTrail trail `json:"cloudtrail"`
		IAM        struct {
			User tagged `json:"user"`
			Role tagged `json:"role"`
		} `json:"iam"`
	} `json:"aws"`
}

type identified struct {
	ID json.RawMessage `json:"id"`
}

// tagged is a user or role of IAM.
type tagged struct {
	Tags map[string]json.RawMessage `json:"tags"`
}

// trail is aws.cloudtrail.
type trail struct {
	EventVersion         json.RawMessage `json:"event_version"`
	EventType            json.RawMessage `json:"event_type"`
	EventCategory        json.RawMessage `json:"event_category"`
	ErrorCode            json.RawMessage `json:"error_code"`
	ErrorMessage         json.RawMessage `json:"error_message"`
	RequestID            json.RawMessage `json:"request_id"`
	APIVersion           json.RawMessage `json:"api_version"`
	RecipientAccountID   json.RawMessage `json:"recipient_account_id"`
	SharedEventID        json.RawMessage `json:"shared_event_id"`
	VPCEndpointID        json.RawMessage `json:"vpc_endpoint_id"`
	VPCEndpointAccountID json.RawMessage `json:"vpc_endpoint_account_id"`
	FromConsole          json.RawMessage `json:"session_credential_from_console"`
	ManagementEvent      json.RawMessage `json:"management_event"`
	ReadOnly             json.RawMessage `json:"read_only"`
	EventContext         json.RawMessage `json:"event_context"`
	Resources            json.RawMessage `json:"resources"`
	// The free-form objects as texts; as objects they are in Flattened.
	RequestParameters   json.RawMessage `json:"request_parameters"`
	ResponseElements    json.RawMessage `json:"response_elements"`
	AdditionalEventData json.RawMessage `json:"additional_eventdata"`
	ServiceEventDetails json.RawMessage `json:"service_event_details"`
	Flattened           struct {
		RequestParameters   json.RawMessage            `json:"request_parameters"`
		ResponseElements    json.RawMessage            `json:"response_elements"`
		AdditionalEventData json.RawMessage            `json:"additional_eventdata"`
		ServiceEventDetails json.RawMessage            `json:"service_event_details"`
		InsightDetails      json.RawMessage            `json:"insight_details"`
		Other               map[string]json.RawMessage `json:"other"`
	} `json:"flattened"`
	Addendum struct {
		Reason            json.RawMessage `json:"reason"`
		UpdatedFields     json.RawMessage `json:"updated_fields"`
		OriginalRequestID json.RawMessage `json:"original_request_id"`
		OriginalEventID   json.RawMessage `json:"original_event_id"`
	} `json:"addendum"`
	TLSDetails struct {
		KeyExchange json.RawMessage `json:"key_exchange"`
	} `json:"tls_details"`
	ConsoleLogin struct {
		Details struct {
			MFAUsed       *bool           `json:"mfa_used"`
			MobileVersion *bool           `json:"mobile_version"`
			LoginTo       json.RawMessage `json:"login_to"`
		} `json:"additional_eventdata"`
	} `json:"console_login"`
	Identity identity `json:"user_identity"`
}

// identity is aws.cloudtrail.user_identity.
type identity struct {
	Type             json.RawMessage `json:"type"`
	ARN              json.RawMessage `json:"arn"`
	AccessKeyID      json.RawMessage `json:"access_key_id"`
	InvokedBy        json.RawMessage `json:"invoked_by"`
	CredentialID     json.RawMessage `json:"credential_id"`
	IdentityProvider json.RawMessage `json:"identity_provider"`
	Delegate         struct {
		AccountID json.RawMessage `json:"account_id"`
	} `json:"invoked_by_delegate"`
	InScopeOf struct {
		IssuerType          json.RawMessage `json:"issuer_type"`
		CredentialsIssuedTo json.RawMessage `json:"credentials_issued_to"`
		SourceARN           json.RawMessage `json:"source_arn"`
		SourceAccount       json.RawMessage `json:"source_account"`
	} `json:"in_scope_of"`
	OnBehalfOf struct {
		UserID           json.RawMessage `json:"user_id"`
		IdentityStoreARN json.RawMessage `json:"identity_store_arn"`
	} `json:"on_behalf_of"`
	Session struct {
		MFA             json.RawMessage `json:"mfa_authenticated"`
		CreationDate    json.RawMessage `json:"creation_date"`
		EC2RoleDelivery json.RawMessage `json:"ec2_role_delivery"`
		SourceIdentity  json.RawMessage `json:"source_identity"`
		AssumedRoot     json.RawMessage `json:"assumed_root"`
		SignInSession   json.RawMessage `json:"sign_in_session_arn"`
		Issuer          struct {
			Type        json.RawMessage `json:"type"`
			PrincipalID json.RawMessage `json:"principal_id"`
			ARN         json.RawMessage `json:"arn"`
			AccountID   json.RawMessage `json:"account_id"`
		} `json:"session_issuer"`
		WebID struct {
			Provider   json.RawMessage `json:"federated_provider"`
			Attributes json.RawMessage `json:"attributes"`
		} `json:"web_id_federation_data"`
	} `json:"session_context"`
}
