//! What a merge patch (RFC 7396) looks like, for the document: made of what it patches.

use std::{borrow::Cow, marker::PhantomData};

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema, Type,
        schema::{Object, SchemaType},
    },
};

/// A merge patch of a `T`: every field may be left out, at every depth.
#[derive(Debug)]
pub struct MergePatch<T>(PhantomData<T>);

type Named = Vec<(String, RefOr<Schema>)>;

impl<T: ToSchema> PartialSchema for MergePatch<T> {
    fn schema() -> RefOr<Schema> {
        let mut known = Named::new();
        T::schemas(&mut known);
        match T::schema() {
            RefOr::T(Schema::Object(mut object)) => {
                let text = "A JSON Merge Patch (RFC 7396): fields that are left out stay, null removes.";
                object.description = Some(text.to_owned());
                RefOr::T(Schema::Object(loosened(object, &known)))
            }
            other => other,
        }
    }
}

impl<T: ToSchema> ToSchema for MergePatch<T> {
    fn name() -> Cow<'static, str> {
        format!("{}Patch", T::name().trim_end_matches("Input")).into()
    }

    fn schemas(schemas: &mut Named) {
        T::schemas(schemas);
    }
}

/// The object without the demand that anything be there.
fn loosened(mut object: Object, known: &Named) -> Object {
    (object.example, object.min_properties) = (None, None);
    object.required.clear();
    for property in object.properties.values_mut() {
        *property = patched(std::mem::take(property), known);
    }
    object
}

fn patched(property: RefOr<Schema>, known: &Named) -> RefOr<Schema> {
    match property {
        RefOr::Ref(reference) => {
            let name = reference.ref_location.rsplit('/').next().unwrap_or_default();
            match known.iter().find(|(known, _)| known == name) {
                Some((_, RefOr::T(Schema::Object(object)))) if !object.properties.is_empty() => {
                    let mut object = loosened(object.clone(), known);
                    if !reference.description.is_empty() {
                        object.description = Some(reference.description);
                    }
                    RefOr::T(Schema::Object(object))
                }
                _ => RefOr::Ref(reference),
            }
        }
        RefOr::T(Schema::OneOf(mut either)) => {
            either.items = either.items.into_iter().map(|item| patched(item, known)).collect();
            RefOr::T(Schema::OneOf(either))
        }
        // Null empties a list.
        RefOr::T(Schema::Array(mut list)) => {
            list.schema_type = SchemaType::Array(vec![Type::Array, Type::Null]);
            RefOr::T(Schema::Array(list))
        }
        other @ RefOr::T(_) => other,
    }
}
