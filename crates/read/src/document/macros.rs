//! `object!`: an object of the design file, stated once.

/// States objects of the design file: for each field the key as written, the Rust name, the type, and its documentation.
/// Every field is optional here; what is required is for the meaning to say.
macro_rules! object {
    ($(
        $(#[doc = $doc:literal])*
        $name:ident {
            $($(#[doc = $field_doc:literal])* $key:literal $field:ident: $type:ty,)*
        }
    )*) => {$(
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct $name {
            $($(#[doc = $field_doc])* pub $field: Option<$type>,)*
        }

        impl $crate::document::Document for $name {
            fn decode(node: &$crate::tree::Node, cx: &mut $crate::document::Context) -> Option<Self> {
                let mut object = $name::default();
                for entry in cx.mapping(node, concat!("a mapping of ", stringify!($name), " fields"))? {
                    if entry.node.is_null() && [$($key),*].contains(&entry.key.as_ref()) {
                        continue;
                    }
                    match entry.key.as_ref() {
                        $($key => {
                            object.$field = cx.within($key, entry.node.span, |cx| {
                                <$type as $crate::document::Document>::decode(&entry.node, cx)
                            });
                        })*
                        _ => cx.unknown_field(entry, &[$($key),*]),
                    }
                }
                Some(object)
            }

            fn schema(defs: &mut $crate::document::schema::Definitions) -> serde_json::Value {
                defs.object(stringify!($name), concat!($($doc),*), &[
                    $(($key, concat!($($field_doc),*), <$type as $crate::document::Document>::schema),)*
                ])
            }
        }
    )*};
}

pub(super) use object;
