"""What shells say of a program that a signal ended, or that is not there, in other languages than English."""

from __future__ import annotations

KILLED = "已杀死|Getötet|Processus arrêté|Убито|Terminado \\(killed\\)|強制終了"
_FAULT = (
    "段错误|Speicherzugriffsfehler|Erreur de segmentation|Violación de segmento|Falha de segmentação"
    "|Ошибка сегментирования|세그멘테이션 오류"
)
_ABORTED = "已中止|已放弃|Abgebrochen|Abandon|Abortado|Аварийный останов|中止|중지됨"
# In brackets: that memory was written to a file.
FAULT = rf"(?:{_FAULT})(?: ?\(.{{1,100}}\))?"
ABORTED = rf"(?:{_ABORTED}) ?\(.{{1,100}}\)"
# Behind the name of a program that cmd, PowerShell or bash could not find.
NOT_FOUND = (
    "no se reconoce como|ist entweder falsch geschrieben|wurde nicht als Name eines Cmdlet|n'est pas reconnu"
    "|non è riconosciuto come|não é reconhecido como|не является внутренней|не распознано как имя|nie jest rozpoznawan"
    "|ya da d\u0131\u015f komut|wordt niet herkend|不是内部或外部命令|不是內部或外部命令|项识别为"
    "|は、内部コマンド|は、コマンドレット"
    "|내부 또는 외부 명령|용어가 cmdlet|commande introuvable|(?:Kommando|Befehl) nicht gefunden|orden no encontrada"
    "|comando não encontrado|comando non trovato|команда не найдена|nie znaleziono polecenia|未找到命令|找不到命令"
    "|コマンドが見つかりません|명령을 찾을 수 없습니다"
)
ANY = f"{KILLED}|{_FAULT}|{_ABORTED}"
