//! The schemas of merge patches (RFC 7396), derived from the schemas of the fields that they patch.

use std::{borrow::Cow, marker::PhantomData};

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Ref, RefOr, Schema, Type,
        schema::{Object, SchemaType},
    },
};

/// A merge patch of a `T`. At every depth, no field is required and none has a default: a generated client would send the
/// default of a field that its user left out, and so change the field.
#[derive(Debug)]
pub struct MergePatch<T>(PhantomData<T>);

type NamedSchemas = Vec<(String, RefOr<Schema>)>;

impl<T: ToSchema> PartialSchema for MergePatch<T> {
    fn schema() -> RefOr<Schema> {
        let mut named = NamedSchemas::new();
        T::schemas(&mut named);
        match patch_of(T::schema(), &named) {
            RefOr::T(Schema::Object(mut object)) => {
                let text =
                    "A JSON Merge Patch (RFC 7396): fields that you leave out stay unchanged, null removes a value.";
                object.description = Some(text.to_owned());
                object.example = None;
                RefOr::T(Schema::Object(object))
            }
            other => other,
        }
    }
}

impl<T: ToSchema> ToSchema for MergePatch<T> {
    fn name() -> Cow<'static, str> {
        format!("{}Patch", T::name().trim_end_matches("Input")).into()
    }

    fn schemas(schemas: &mut NamedSchemas) {
        T::schemas(schemas);
    }
}

/// Returns the schema of a patch of this schema.
fn patch_of(schema: RefOr<Schema>, named: &NamedSchemas) -> RefOr<Schema> {
    match schema {
        RefOr::Ref(reference) => patch_of_reference(reference, named),
        RefOr::T(Schema::Object(object)) => RefOr::T(Schema::Object(patch_of_object(object, named))),
        RefOr::T(Schema::OneOf(mut alternatives)) => {
            alternatives.default = None;
            alternatives.items = alternatives.items.into_iter().map(|item| patch_of(item, named)).collect();
            RefOr::T(Schema::OneOf(alternatives))
        }
        // A patch replaces a list as a whole, so the schema of its items stays the same. Null empties the list.
        RefOr::T(Schema::Array(mut list)) => {
            list.default = None;
            list.schema_type = SchemaType::Array(vec![Type::Array, Type::Null]);
            RefOr::T(Schema::Array(list))
        }
        other @ RefOr::T(_) => other,
    }
}

/// Copies a referenced schema that has fields; a reference to any other schema stays.
fn patch_of_reference(reference: Ref, named: &NamedSchemas) -> RefOr<Schema> {
    let name = reference.ref_location.rsplit('/').next().unwrap_or_default();
    match named.iter().find(|(known, _)| known == name) {
        Some((_, RefOr::T(Schema::Object(object)))) if !object.properties.is_empty() => {
            let mut object = patch_of_object(object.clone(), named);
            object.example = None;
            if !reference.description.is_empty() {
                object.description = Some(reference.description);
            }
            RefOr::T(Schema::Object(object))
        }
        _ => RefOr::Ref(reference),
    }
}

fn patch_of_object(mut object: Object, named: &NamedSchemas) -> Object {
    (object.default, object.min_properties) = (None, None);
    object.required.clear();
    for property in object.properties.values_mut() {
        *property = patch_of(std::mem::take(property), named);
    }
    object
}
