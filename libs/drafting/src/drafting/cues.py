"""Words that mean the same in four languages, so that a small corpus in one teaches the others."""

import re
from collections.abc import Mapping

_CUES: Mapping[str, str] = {
    "asks": r"(?:could|can|would|will|did|do|are|have) you\b|let (?:me|us) (?:know|have)|should (?:we|i)\b"
    r"|please (?:send|tell|confirm|explain|let)|could we|i would like to (?:know|ask|try)|bescheid"
    r"|(?:könn|würd|hätt|mach)(?:en|et|est|ten) (?:sie|ihr|du)|kannst du|bitte (?:teilen|sagen|schicken|senden)"
    r"|(?:pour|p|sour|v)(?:riez|ouvez|oulez|oudriez)-vous|dis-moi|merci de me (?:dire|confirmer)|est-(?:ce que|il)"
    r"|faut-il|podría|puede(?:n|s)? (?:usted|venir|enviar)|tienen|dime|dígame|¿",
    "offers work": r"quote\b|we are (?:looking|planning|searching)|what you would charge|daily rate"
    r"|price (?:for|of|per)|how much|anfrage|was (?:würde|kostet)|suchen (?:wir|noch|jemand)|angebot schicken"
    r"|devis|combien|nous cherchons|presupuesto|cuál sería|cuánto",
    "no action": r"no (?:action|need)|nothing (?:to do|further)|for your (?:information|files|records)|\bfyi\b"
    r"|not need to|just to (?:keep|let)|just so you know|handlungsbedarf|zur (?:kenntnis|info)|nur damit du"
    r"|nichts (?:weiter )?zu tun|brauche ich nicht|pour information|rien à faire|para su información"
    r"|no hace falta (?:responder|hacer)|generated automatically|automatisch erstellt",
    "done": r"(?:was|were|has been|have been|is|are|have|has) (?:now )?(?:delivered|shipped|sent|completed|finished"
    r"|generated|renewed|booked|reserved|moved|deployed|resolved|confirmed|closed|ready|active|switched|saved|stored"
    r"|recorded|received|added|updated|up again|working|restored|processed|arrived)|without errors|passed|succeeded"
    r"|recovered|back to normal|on its way|delivered|finished|arrives on|see you (?:at|on|there)|all good"
    r"|found (?:it|them)|bestätig(?:en wir|ung)"
    r"|versandt|zugestellt|unterwegs|erledigt|geklärt|gespeichert|verschiebt sich|läuft wieder"
    r"|expédiée?|livrée?|effectuée?|déposé|en route|confirmée|réservée|rétabli|enviado|entregad|en camino"
    r"|registrad|restablecid|normalidad|(?:está|queda) confirmad",
    "away": r"out of office|on (?:parental |sick )?leave|auto(?:matic)?[- ]?reply|abwesen|nicht im büro|absen(?:t|ce)"
    r"|fuera de la oficina|i (?:will be|am) away|in the meantime|not read during",
    "reminds": r"reminder of your|planned|maintenance|appointment|schedule|wartung|terminbest|rendez-vous (?:le|est)"
    r"|next due|will take (?:place|about)|from monday|wegen de",
    "thanks for it": r"(?:thanks|thank you),? (?:received|so much|a lot)|got everything|they have arrived|all i need"
    r"|thank you for submitting|gut angekommen|bien reçu|recibido todo",
    "bill": r"invoice|\bbill(?:ed|ing)?\b|receipt|amount due|\bvat\b|payable|outstanding|overdue|unpaid|subtotal"
    r"|payment (?:terms|method|failed)|to pay\b|settle|debit|deposit invoice|\bnet \d|rechnung|betrag|mahn"
    r"|zahl(?:ung|bar)|begleich|mehrwertsteuer|honorar|nachzahl|abbuch|beleg\b|facture|montant|règlement|impayée"
    r"|prélev|\bfactura|importe|\biva\b|recibo|pendiente de pago|forma de pago",
    "shop": r"\bsale\b|% ?(?:off|discount)|discount|\bdeals?\b|shop|free (?:shipping|returns)|voucher|\bsave \d"
    r"|arrivals|\bprices? end|\border now|angebot der|angebote|rabatt|sparen|sonderpreis|bestellen|kollektion"
    r"|sortiment|\boffres\b|promotions|soldes|livraison (?:offerte|gratuite)|rebajas|descuento|ofertas|envío gratis",
    "subscribed": r"unsubscribe|subscri|newsletter|digest|in this issue|(?:view|read) in (?:your )?browser"
    r"|manage your preferences|as a member|abmelden|abbestellen|ausgabe|im browser|désinscri|désabonn|au sommaire"
    r"|lire en ligne|darse de baja|boletín|este número|cancelar suscripción",
    "news": r"(?:this|the) (?:week|month)|stories|issue|\bblog\b|webinar|register (?:now|on)|magazin|events|episode"
    r"|highlights|podcast|programm|read (?:more|online|the full)|discover|new features|book (?:now|early|online)"
    r"|neue kurse|termine und|entdecken|überblick|découvrez|nouveautés|conseils|recettes|sorties|novedades|eventos"
    r"|descubre|mejores",
    "won": r"\bwon\b|winner|prize|lottery|congratulations|claim (?:your|now|the)|donat|lucky|beneficiar|gewonnen"
    r"|gewinn|glückwunsch|gagné|félicitations|tiré au sort|ganado|ganador|premio|sorteo|lotería|felicidades",
    "lure": r"click|klicken|cliquez|haga clic|verif(?:y|ication)|suspen|deactivat|within \d+ (?:hour|stund)|expire"
    r"|(?:this|the|diesen|den|le|este) link\b|blocked|24 (?:hours|stunden|heures|horas)|gesperrt|eingeschränkt"
    r"|bestätigen sie ihre daten|bloqu|dear (?:customer|user)|cher client|estimado cliente|sehr geehrter kunde"
    r"|customs fee|zollgebühr|\bfrais\b|download|threats|infected",
    "riches": r"guarante|profit|crypto|krypto|bitcoin|casino|\bloan|credit check|million|\bearn\b|per day|part time"
    r"|secret (?:method|revealed)|garantiert|kredit|\breich\b|\bprêt\b|crédit|justificatif|\bgane\b|garantizad|wallet"
    r"|inherit|fortune|herencia|erbschaft|héritage|widow|viuda|veuve",
    "pitch": r"dear sir|\bseo\b|backlink|guest post|\bleads\b|email lists|ranking|affordable|kindly (?:share|revert)"
    r"|low(?:est)? (?:cost|price)|offshore|target industry|packages|visitors to your|reply yes|your manager|messenger",
    "wares": r"\bpills?\b|\bmeds\b|tablets|prescription|replica|singles|women\b|miracle|\bdiet|virus|hacked|weight",
    "anger": r"disappoint|unhappy|dissatisf|complain|refund|unacceptable|\bdemand|money back|responsible|damage|faults"
    r"|defect|not (?:be )?(?:paying|accept)|will not pay|put it right|reduction|beschwer|unzufrieden|verärgert"
    r"|verlange|geld zurück|reklamation|mangelhaft|widerspruch|schaden|mécontent|réclamation|rembours|exige|défaut"
    r"|litige|porterai plainte|descontent|reclamación|devolución|defectuos",
    "law": r"lawyer|attorney|solicitor|\blegal|\bcourt\b|summon|hearing|judg|damages|our client|we represent"
    r"|proceedings|licence|liab|anwalt|mandant|gericht|abmahn|unterlassung|\bklage|mise en demeure|tribunal|avocat"
    r"|procédure|dommages|abogado|\bdemanda|requer",
    "authority": r"tax (?:office|return)|authority|\baudit|inspect|penalty|\bfine of|finanzamt|steuer(?:erkl|prüf)"
    r"|zwangsgeld|bußgeld|bescheid vom|behörde|\bimpôts|hacienda|sanción|multa|recurrir|amende|documents of the last"
    r"|unterlagen der letzten",
    "ending": r"terminat|resign|\bnotice (?:of|period)|hand in|\bquit\b|cancell?ing|not to (?:extend|renew)|it ends on"
    r"|kündig|résili|démission|rescis|rescind|renuncia|baja voluntaria|last day|leaving|reduce my hours",
    "signing": r"for (?:your )?signature|your signature|please sign|binding|shareholder|unterschr|verbindlich|à signer"
    r"|su firma",
    "secret": r"password|credentials|confiden|in private|in person|do not call|passwort|zugangsdaten|vertraulich"
    r"|mot de passe|contraseña",
    "bank": r"bank (?:details|account)|wire transfer|new account|bankverbindung|coordonnées bancaires|cuenta bancaria",
    "privacy": r"personal data|all data|privacy act|data protection|\bgdpr|dsgvo|personenbezogen"
    r"|données personnelles|datos personales",
    "grief": r"\bdied\b|funeral|passed away|hospital|\bill\b|accident|verstorben|beerdigung|krankenhaus|unfall"
    r"|décès|hôpital|falleci|doctor would",
    "press": r"journalist|report(?:er)? (?:for|on)|statement from|(?:to|your) comment|broadcast|before we publish"
    r"|journalistin|presseanfrage|periodista",
    "acquires": r"acquire|\bsalary|another offer|landlord|harass|the board",
}

CUES: tuple[tuple[str, re.Pattern[str]], ...] = tuple((f"<{name}>", re.compile(words)) for name, words in _CUES.items())
"""Name and pattern, for text in small letters."""
